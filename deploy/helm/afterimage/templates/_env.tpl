{{/* Numbers without an exponent: Helm reads them as floats. */}}
{{- define "afterimage.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- end -}}

{{/* Takes a map of variables. */}}
{{- define "afterimage.variables" -}}
{{- range $name, $value := . }}
- {name: {{ $name }}, value: {{ include "afterimage.text" $value | quote }}}
{{- end }}
{{- end -}}

{{- define "afterimage.fromSecret" -}}
- name: {{ .name }}
  valueFrom: {secretKeyRef: {name: {{ .secret }}, key: {{ .key }}}}
{{- end -}}

{{/* Where Kafka is, and how it lets us in. Takes root and worker. */}}
{{- define "afterimage.kafkaEnv" -}}
{{- $kafka := .root.Values.kafka }}
- {name: KAFKA_BOOTSTRAP_SERVERS, value: {{ $kafka.bootstrapServers | quote }}}
{{- if ne $kafka.securityProtocol "PLAINTEXT" }}
- {name: KAFKA_SECURITY_PROTOCOL, value: {{ $kafka.securityProtocol }}}
{{- end }}
{{- if hasPrefix "SASL_" $kafka.securityProtocol }}
{{- $secret := include "afterimage.secretOf" (dict "of" $kafka "key" "secret" "worker" .worker) | required (printf "kafka.secret is not set, and kafka.securityProtocol=%s takes a user and a password: name a Secret with both" $kafka.securityProtocol) }}
- {name: KAFKA_SASL_MECHANISM, value: {{ $kafka.saslMechanism }}}
{{ include "afterimage.fromSecret" (dict "name" "KAFKA_SASL_USERNAME" "secret" $secret "key" "username") }}
{{ include "afterimage.fromSecret" (dict "name" "KAFKA_SASL_PASSWORD" "secret" $secret "key" "password") }}
{{- end }}
{{- if include "afterimage.secretOf" (dict "of" $kafka "key" "tlsSecret" "worker" .worker) }}
{{- include "afterimage.tlsEnv" (dict "prefix" "KAFKA" "folder" "/etc/afterimage/kafka" "certificate" $kafka.clientCertificate) }}
{{- end }}
{{- end -}}

{{- define "afterimage.redisEnv" -}}
{{- $redis := .root.Values.redis }}
{{- if contains "@" $redis.url }}
{{- fail "redis.url has a user or a password in it, which are no values: name a Secret with both in redis.secret" }}
{{- end }}
- {name: REDIS_URL, value: {{ $redis.url | quote }}}
{{- with include "afterimage.secretOf" (dict "of" $redis "key" "secret" "worker" .worker) }}
{{ include "afterimage.fromSecret" (dict "name" "REDIS_USERNAME" "secret" . "key" "username") }}
{{ include "afterimage.fromSecret" (dict "name" "REDIS_PASSWORD" "secret" . "key" "password") }}
{{- end }}
{{- if include "afterimage.secretOf" (dict "of" $redis "key" "tlsSecret" "worker" .worker) }}
{{- include "afterimage.tlsEnv" (dict "prefix" "REDIS" "folder" "/etc/afterimage/redis" "certificate" $redis.clientCertificate) }}
{{- end }}
{{- end -}}

{{- define "afterimage.tlsEnv" }}
- {name: {{ .prefix }}_SSL_CA, value: {{ .folder }}/ca.crt}
{{- if .certificate }}
- {name: {{ .prefix }}_SSL_CERTIFICATE, value: {{ .folder }}/tls.crt}
- {name: {{ .prefix }}_SSL_KEY, value: {{ .folder }}/tls.key}
{{- end }}
{{- end -}}

{{/* What the AWS clients read. */}}
{{- define "afterimage.s3Env" -}}
{{- with .Values.s3.secret }}
{{ include "afterimage.fromSecret" (dict "name" "AWS_ACCESS_KEY_ID" "secret" . "key" "AWS_ACCESS_KEY_ID") }}
{{ include "afterimage.fromSecret" (dict "name" "AWS_SECRET_ACCESS_KEY" "secret" . "key" "AWS_SECRET_ACCESS_KEY") }}
{{- end }}
{{- include "afterimage.variables" .Values.s3.env }}
{{- end -}}

{{/* The settings of a worker: its own, and those that it shares with others. The chart's own come first. */}}
{{- define "afterimage.settings" -}}
{{- $known := get (.root.Files.Get "files/settings.json" | fromJson) .worker }}
{{- $shared := dict }}
{{- range $name, $value := .root.Values.settings }}
{{- if has $name $known }}{{ $_ := set $shared $name $value }}{{ end }}
{{- end }}
{{- include "afterimage.variables" (merge (dict) (index .root.Values .worker).settings $shared) }}
{{- end -}}

{{/* All variables of a worker's container. Takes root, worker and group. */}}
{{- define "afterimage.env" -}}
{{- $v := .root.Values }}
{{- $own := index $v .worker }}
{{- $prefix := upper .worker }}
{{- $fetches := or (has .worker (list "extractor" "searcher")) (and (eq .worker "gateway") (include "afterimage.thumbnails" .root)) }}
- {name: {{ $prefix }}_HTTP_HOST, value: "0.0.0.0"} # probes, Prometheus and callers come from outside the pod
{{- include "afterimage.kafkaEnv" . }}
{{- include "afterimage.redisEnv" . }}
{{- if or (eq .worker "indexer") $fetches }}
{{- include "afterimage.s3Env" .root }}
{{- end }}
{{- if and $v.images.claim $fetches }}
- {name: AFTERIMAGE_FILE_ROOTS, value: /images}
{{- end }}
{{- if and (include "afterimage.hasStore" .root) (has .worker (list "indexer" "searcher")) }}
- {name: AFTERIMAGE_SEGMENT_STORE, value: {{ $v.segmentStore.url | default "/store" }}}
- {name: {{ $prefix }}_SEGMENT_FOLDER, value: /segments}
{{- end }}
{{- if hasKey $own "drainSeconds" }}
- {name: {{ $prefix }}_DRAIN_S, value: {{ include "afterimage.text" $own.drainSeconds | quote }}}
{{- end }}
{{- if and (has .worker (list "extractor" "searcher")) (not (hasKey $own.settings (printf "%s_THREADS" $prefix))) .resources.requests.cpu }}
- name: {{ $prefix }}_THREADS # by default as many as the host has cores
  valueFrom: {resourceFieldRef: {resource: requests.cpu, divisor: "1"}}
{{- end }}
{{- if and .gpu (not $v.settings.AFTERIMAGE_DEVICE) }}
- {name: AFTERIMAGE_DEVICE, value: cuda} # a device that is not there stops the start
{{- end }}
{{- if eq .worker "indexer" }}
- name: INDEXER_INSTANCE_ID # a static member: a pod that is back within the session timeout has its shards again
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
{{- else if eq .worker "searcher" }}
- name: SEARCHER_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
{{- with .group.shards }}
- {name: SEARCHER_SHARDS, value: {{ . | quote }}}
{{- end }}
{{- else if eq .worker "gateway" }}
{{- if $own.open }}
- {name: GATEWAY_OPEN, value: "true"}
{{- if not (hasKey $own.settings "GATEWAY_HOSTNAMES") }}
- {name: GATEWAY_HOSTNAMES, value: {{ include "afterimage.gatewayNames" .root | quote }}} # without keys it answers to its own names alone
{{- end }}
{{- else }}
- {name: GATEWAY_KEYS, value: {{ printf "/etc/afterimage/keys/%s" $own.keys.key }}}
{{- end }}
{{- with $own.thumbnails.secret }}
{{ include "afterimage.fromSecret" (dict "name" "GATEWAY_THUMBNAIL_SECRET" "secret" . "key" "secret") }}
{{- end }}
{{- end }}
{{- include "afterimage.settings" . }}
{{- end -}}

{{/* By which names the gateway is called: those of its Service, and those of the Ingress. */}}
{{- define "afterimage.gatewayNames" -}}
{{- $service := include "afterimage.kind" (dict "root" . "worker" "gateway") -}}
{{- $names := list $service (printf "%s.%s" $service .Release.Namespace) (printf "%s.%s.svc" $service .Release.Namespace) (printf "%s.%s.svc.cluster.local" $service .Release.Namespace) -}}
{{- range .Values.gateway.ingress.hosts }}{{ $names = append $names .host }}{{ end -}}
{{- join "," $names -}}
{{- end -}}

{{- define "afterimage.thumbnails" -}}
{{- if .Values.gateway.settings.GATEWAY_THUMBNAILS }}true{{ end -}}
{{- end -}}
