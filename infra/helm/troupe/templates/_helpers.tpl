{{- define "troupe.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "troupe.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{- define "troupe.labels" -}}
app.kubernetes.io/name: troupe
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "troupe.selector" -}}
app.kubernetes.io/name: troupe
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* The namespace of a role. Servers are always in the release's own. */}}
{{- define "troupe.namespace" -}}
{{- if .root.Values.namespaces.perRole -}}{{ include "troupe.name" .root }}-{{ .role }}{{- else -}}{{ .root.Release.Namespace }}{{- end -}}
{{- end -}}

{{/* The host name of a server that runs here. */}}
{{- define "troupe.host" -}}
{{ include "troupe.name" .root }}-{{ .server }}.{{ .root.Release.Namespace }}.svc
{{- end -}}

{{- define "troupe.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .user }}
runAsGroup: {{ .user }}
fsGroup: {{ .user }}
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "troupe.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{/* Every variable of a process; secrets come as files. */}}
{{- define "troupe.env" -}}
- { name: HOST, value: 0.0.0.0 }
- { name: PORT, value: "3000" }
- { name: TROUPE_AUTH, value: "on" }
- { name: TROUPE_CLUSTER, value: {{ .Values.cluster | quote }} }
- { name: TROUPE_SEED, value: {{ .Values.demo | ternary "on" "off" | quote }} }
- { name: TROUPE_STOP_GRACE, value: {{ .Values.stopGrace | quote }} }
- { name: API_RATE_LIMIT_STORE, value: redis }
- { name: DATABASE_URL_FILE, value: /run/secrets/troupe/database_url }
- { name: RABBITMQ_URL_FILE, value: /run/secrets/troupe/rabbitmq_url }
- { name: REDIS_URL_FILE, value: /run/secrets/troupe/redis_url }
- { name: TROUPE_ADMIN_KEY_FILE, value: /run/secrets/troupe/admin_key }
- { name: TROUPE_SECRET_KEY_FILE, value: /run/secrets/troupe/secret_key }
{{- with .Values.servers }}
- { name: NATS_URL, value: {{ .nats.inCluster | ternary (printf "nats://%s:4222" (include "troupe.host" (dict "root" $ "server" "nats"))) .nats.address | quote }} }
- { name: KAFKA_BROKERS, value: {{ .kafka.inCluster | ternary (printf "%s:9092" (include "troupe.host" (dict "root" $ "server" "kafka"))) .kafka.address | quote }} }
- { name: TEMPORAL_ADDRESS, value: {{ .temporal.inCluster | ternary (printf "%s:7233" (include "troupe.host" (dict "root" $ "server" "temporal"))) .temporal.address | quote }} }
{{- with .temporal.uiUrl }}
- { name: TEMPORAL_UI_URL, value: {{ . | quote }} }
{{- end }}
{{- end }}
{{- range $name, $value := .Values.env }}
- { name: {{ $name }}, value: {{ $value | quote }} }
{{- end }}
{{- end -}}

{{- define "troupe.volumeMounts" -}}
- { name: secrets, mountPath: /run/secrets/troupe, readOnly: true }
- { name: tmp, mountPath: /tmp }
- { name: data, mountPath: /data }
{{- end -}}

{{- define "troupe.volumes" -}}
- name: secrets
  secret: { secretName: {{ .Values.secretName }}, defaultMode: 0440 }
- { name: tmp, emptyDir: {} }
- { name: data, emptyDir: {} }
{{- end -}}
