{{/* A rule for outgoing connections over TCP. Takes to, a list of peers, and ports. */}}
{{- define "afterimage.egress" -}}
- ports:
    {{- range .ports | uniq }}
    - {port: {{ int . }}, protocol: TCP}
    {{- end }}
  {{- with .to }}
  to: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
