{{/* An autoscaler by the processor. Takes root, worker and, for a searcher, group. */}}
{{- define "afterimage.autoscaler" -}}
{{- $scaled := (index .root.Values .worker).autoscaling -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ include "afterimage.kind" . }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "afterimage.labels" . | nindent 4 }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ include "afterimage.kind" . }}}
  minReplicas: {{ int $scaled.minReplicas }}
  maxReplicas: {{ int $scaled.maxReplicas }}
  metrics:
    - type: Resource
      resource: {name: cpu, target: {type: Utilization, averageUtilization: {{ int $scaled.cpuUtilization }}}}
  behavior:
    scaleDown: {stabilizationWindowSeconds: 300, policies: [{type: Pods, value: 1, periodSeconds: 60}]}
{{- end -}}
