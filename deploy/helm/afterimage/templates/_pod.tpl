{{/* Restricted, as the Pod Security Standards have it. */}}
{{- define "afterimage.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001 # as in deploy/Dockerfile
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "afterimage.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
{{- end -}}

{{/* What every pod of ours has. Takes root. */}}
{{- define "afterimage.everyPod" -}}
automountServiceAccountToken: false # no worker talks to Kubernetes
# Variables that Kubernetes makes of services' names could be taken for settings: those of one called gateway-http are.
enableServiceLinks: false
# As process 1, Python would ignore SIGTERM until the worker has set up its signal handlers, and children would not be reaped.
shareProcessNamespace: true
securityContext: {{- include "afterimage.podSecurity" . | nindent 2 }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Seconds from SIGTERM to the kill: until the last requests are answered, the drain, and 10 for the last commit. Takes root and worker. */}}
{{- define "afterimage.grace" -}}
{{- $own := index .root.Values .worker -}}
{{- add 30 (ceil (default 0 $own.drainSeconds)) (default 0 $own.preStopSeconds) -}}
{{- end -}}

{{/* The volumes of a worker as a list of {name, path, readOnly, volume}. Takes root, worker. */}}
{{- define "afterimage.volumeList" -}}
{{- $v := .root.Values }}
{{- $own := index $v .worker }}
{{- $thumbnails := and (eq .worker "gateway") (include "afterimage.thumbnails" .root) }}
- {name: tmp, path: /tmp, volume: {emptyDir: {sizeLimit: {{ $own.tmp.size }}}}}
{{- with include "afterimage.secretOf" (dict "of" $v.kafka "key" "tlsSecret" "worker" .worker) }}
- {name: kafka-tls, path: /etc/afterimage/kafka, readOnly: true, volume: {secret: {secretName: {{ . }}, defaultMode: 0440}}}
{{- end }}
{{- with include "afterimage.secretOf" (dict "of" $v.redis "key" "tlsSecret" "worker" .worker) }}
- {name: redis-tls, path: /etc/afterimage/redis, readOnly: true, volume: {secret: {secretName: {{ . }}, defaultMode: 0440}}}
{{- end }}
{{- if and $v.images.claim (or (has .worker (list "extractor" "searcher")) $thumbnails) }}
- {name: images, path: /images, readOnly: true, volume: {persistentVolumeClaim: {claimName: {{ $v.images.claim }}, readOnly: true}}}
{{- end }}
{{- if and $v.models.claim (ne .worker "gateway") }}
- {name: models, path: /models, readOnly: true, volume: {persistentVolumeClaim: {claimName: {{ $v.models.claim }}, readOnly: true}}}
{{- end }}
{{- if and (include "afterimage.hasStore" .root) (has .worker (list "indexer" "searcher")) }}
{{- with $v.segmentStore.claim }}
- {name: store, path: /store, volume: {persistentVolumeClaim: {claimName: {{ . }}}}}
{{- end }}
{{- if eq .worker "indexer" }}
- {name: segments, path: /segments} # the StatefulSet's claim
{{- else if $own.segments.storageClass }}
- name: segments
  path: /segments
  volume:
    ephemeral:
      volumeClaimTemplate:
        spec: {{- include "afterimage.segmentClaim" $own.segments | nindent 10 }}
{{- else }}
- {name: segments, path: /segments, volume: {emptyDir: {sizeLimit: {{ $own.segments.size }}}}}
{{- end }}
{{- end }}
{{- if and (eq .worker "gateway") (not $own.open) }}
- name: keys # a folder, since what is mounted as a single file does not change with its Secret
  path: /etc/afterimage/keys
  readOnly: true
  volume:
    secret: {secretName: {{ $own.keys.secret | required "gateway.keys.secret is not set: name a Secret with the file of keys, or let everybody in with gateway.open=true" }}, defaultMode: 0440, items: [{key: {{ $own.keys.key }}, path: {{ $own.keys.key }}}]}
{{- end }}
{{- end -}}

{{- define "afterimage.segmentClaim" -}}
accessModes: [ReadWriteOnce]
{{- with .storageClass }}
storageClassName: {{ . }}
{{- end }}
resources: {requests: {storage: {{ .size }}}}
{{- end -}}

{{/* A worker's pod. Takes root, worker and, for a searcher, group. */}}
{{- define "afterimage.pod" -}}
{{- $v := .root.Values }}
{{- $own := index $v .worker }}
{{- $resources := deepCopy (default $own.resources (dig "resources" nil (default dict .group))) }}
{{- $gpu := gt (int (dig "gpu" "count" 0 $own)) 0 }}
{{- if $gpu }}
{{- $_ := set $resources "limits" (merge (dict $own.gpu.resource $own.gpu.count) (default dict $resources.limits)) }}
{{- end }}
{{- $env := merge (dict "resources" $resources "gpu" $gpu) . }}
{{- $volumes := include "afterimage.volumeList" . | fromYamlArray -}}
metadata:
  labels:
    {{- include "afterimage.podLabels" . | nindent 4 }}
    {{- with $own.pod.labels }}{{ toYaml . | nindent 4 }}{{ end }}
  annotations:
    kubectl.kubernetes.io/default-container: {{ .worker }}
    {{- with $own.pod.annotations }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  {{- include "afterimage.everyPod" .root | nindent 2 }}
  serviceAccountName: {{ include "afterimage.serviceAccount" .root }}
  terminationGracePeriodSeconds: {{ include "afterimage.grace" . }}
  {{- range $field := list "nodeSelector" "tolerations" "affinity" "priorityClassName" "runtimeClassName" }}
  {{- with get $own.pod $field }}
  {{ $field }}: {{- if kindIs "string" . }} {{ . }}{{ else }}{{ toYaml . | nindent 4 }}{{ end }}
  {{- end }}
  {{- end }}
  topologySpreadConstraints:
    {{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
    - maxSkew: 1
      topologyKey: {{ $key }}
      whenUnsatisfiable: {{ $v.topologySpread.whenUnsatisfiable }}
      labelSelector: {matchLabels: {{ include "afterimage.selector" $ | fromYaml | toJson }}}
      {{- if ne $.worker "indexer" }}
      matchLabelKeys: [pod-template-hash]
      {{- end }}
    {{- end }}
  containers:
    - name: {{ .worker }}
      image: {{ include "afterimage.image" (dict "root" .root "worker" .worker "cuda" $gpu) }}
      imagePullPolicy: {{ $v.image.pullPolicy }}
      command: [python, -m, services.{{ .worker }}]
      env: {{- include "afterimage.env" $env | trim | nindent 8 }}
      ports:
        - {name: http, containerPort: {{ include "afterimage.port" .worker }}}
      # It answers as soon as Python has loaded its packages; what it then loads may take minutes.
      startupProbe:
        httpGet: {path: /livez, port: http}
        periodSeconds: 2
        timeoutSeconds: 5
        failureThreshold: 90
      # Fails where only a restart helps, and not while Kafka or Redis are away.
      livenessProbe:
        httpGet: {path: /livez, port: http}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 3
      readinessProbe:
        httpGet: {path: /readyz, port: http}
        periodSeconds: 5
        timeoutSeconds: 3
        failureThreshold: 2
      {{- with $own.preStopSeconds }}
      lifecycle: {preStop: {sleep: {seconds: {{ int . }}}}}
      {{- end }}
      resources: {{- toYaml $resources | nindent 8 }}
      securityContext: {{- include "afterimage.containerSecurity" . | nindent 8 }}
      volumeMounts:
        {{- range $volumes }}
        - {name: {{ .name }}, mountPath: {{ .path }}{{ if .readOnly }}, readOnly: true{{ end }}}
        {{- end }}
  volumes:
    {{- range $volumes }}
    {{- if .volume }}
    - {{ merge (dict "name" .name) .volume | toJson }}
    {{- end }}
    {{- end }}
{{- end -}}
