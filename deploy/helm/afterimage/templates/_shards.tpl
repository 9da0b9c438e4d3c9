{{/* Ends with a sentence where groups of searchers leave shards out, or name some that there are not. */}}
{{- define "afterimage.everyShardIsHeld" -}}
{{- $partitions := int .Values.topics.partitions }}
{{- $held := dict }}
{{- range $group := .Values.searcher.groups }}
{{- range $part := splitList "," (default (printf "0-%d" (sub $partitions 1)) $group.shards) }}
{{- $ends := splitList "-" (trim $part) }}
{{- range $shard := untilStep (first $ends | int) (add1 (last $ends | int) | int) 1 }}
{{- if ge $shard $partitions }}
{{- fail (printf "searcher.groups: %s holds shard %d, and topics.partitions=%d has none of that number" $group.name $shard $partitions) }}
{{- end }}
{{- $_ := set $held (toString $shard) true }}
{{- end }}
{{- end }}
{{- end }}
{{- range $shard := until $partitions }}
{{- if not (hasKey $held (toString $shard)) }}
{{- fail (printf "searcher.groups: none holds shard %d of topics.partitions=%d, and its images would not be found" $shard $partitions) }}
{{- end }}
{{- end }}
{{- end -}}
