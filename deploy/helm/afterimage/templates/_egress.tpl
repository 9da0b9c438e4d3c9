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

{{/* The port of an address. Takes url and default. */}}
{{- define "afterimage.portOf" -}}
{{- regexFind ":[0-9]+" (regexReplaceAll "^[a-z]+://" (default "" .url) "") | trimPrefix ":" | default (toString .default) -}}
{{- end -}}
