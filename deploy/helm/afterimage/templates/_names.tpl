{{- define "afterimage.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "afterimage.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "afterimage.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "afterimage.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Of whom everything in a release is. */}}
{{- define "afterimage.releaseLabels" -}}
app.kubernetes.io/name: {{ include "afterimage.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* What selects the pods of a kind. Takes root, worker and, for a searcher, group. */}}
{{- define "afterimage.selector" -}}
{{ include "afterimage.releaseLabels" .root }}
app.kubernetes.io/component: {{ .worker }}
{{- with .group }}
afterimage/group: {{ .name }}
{{- end }}
{{- end -}}

{{- define "afterimage.labels" -}}
{{ include "afterimage.selector" . }}
{{ include "afterimage.chartLabels" .root }}
{{- end -}}

{{/* Without the chart's version: with it, each new chart would restart all pods. */}}
{{- define "afterimage.podLabels" -}}
{{ include "afterimage.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: afterimage
{{- end -}}

{{- define "afterimage.chartLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: afterimage
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* The name of a kind's objects. */}}
{{- define "afterimage.kind" -}}
{{- include "afterimage.fullname" .root }}-{{ .worker }}{{ with .group }}-{{ .name }}{{ end -}}
{{- end -}}

{{- define "afterimage.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "afterimage.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* A worker's own image, else everybody's. Takes root, worker and cuda. */}}
{{- define "afterimage.image" -}}
{{- $all := .root.Values.image -}}
{{- $own := dig "image" (dict) (index .root.Values .worker) -}}
{{- $said := or $own.tag $own.digest | empty | not -}}
{{- $image := ternary $own $all $said -}}
{{- if and .cuda (not $said) (or $all.tag $all.digest) -}}
{{- fail (printf "%s.gpu.count is 1, and image.tag or image.digest is for workers without a GPU: name the cuda variant in %s.image" .worker .worker) -}}
{{- end -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $all.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $all.repository ($image.tag | default (printf "%s-%s" .root.Chart.AppVersion (ternary "cuda" "cpu" .cuda))) -}}
{{- end -}}
{{- end -}}

{{- define "afterimage.port" -}}
{{- get (dict "extractor" 8081 "indexer" 8082 "searcher" 8083 "gateway" 8084) . -}}
{{- end -}}

{{/* A topic or a consumer group by its name without the namespace. Takes root and name. */}}
{{- define "afterimage.onTheBus" -}}
{{- with .root.Values.settings.AFTERIMAGE_NAMESPACE }}{{ . }}.{{ end }}{{ .name -}}
{{- end -}}

{{- define "afterimage.hasStore" -}}
{{- if or .Values.segmentStore.url .Values.segmentStore.claim }}true{{ end -}}
{{- end -}}

{{/* The name of a worker's own secret, else of everybody's. Takes of (kafka or redis), key (secret or tlsSecret), worker. */}}
{{- define "afterimage.secretOf" -}}
{{- get (index .of (printf "%sOf" .key)) .worker | default (index .of .key) -}}
{{- end -}}
