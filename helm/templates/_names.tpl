{{- define "idp.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "idp.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "idp.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "idp.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What a Service, a budget or a policy finds its pods by: (list root component). */}}
{{- define "idp.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "idp.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "idp.labels" -}}
{{- $root := index . 0 -}}
{{ include "idp.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
app.kubernetes.io/part-of: {{ include "idp.name" $root }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "idp.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "idp.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "idp.fullname" .) }}
{{- else -}}
{{ .Values.serviceAccount.name | default "default" }}
{{- end -}}
{{- end -}}

{{- define "idp.configSecret" -}}
{{ .Values.config.existingSecret | default (printf "%s-config" (include "idp.fullname" .)) }}
{{- end -}}

{{- define "idp.issuerHost" -}}
{{ (urlParse .Values.issuer).host }}
{{- end -}}

{{/* What the provider's public port is called, in pods, Services and Ingresses. */}}
{{- define "idp.publicPort" -}}
{{ ternary "https" "http" (ne .Values.tls.existingSecret "") }}
{{- end -}}

{{/* Combinations that no schema can refuse. */}}
{{- define "idp.checked" -}}
{{- if and (not .Values.config.existingSecret) (not .Values.config.toml) (not .Values.embedded.enabled) -}}
{{- fail "config.existingSecret is needed: a Secret with idp.toml in it" -}}
{{- end -}}
{{- if and .Values.config.existingSecret .Values.config.toml -}}
{{- fail "config.existingSecret and config.toml exclude each other" -}}
{{- end -}}
{{- if and (not .Values.keys.existingSecret) (not .Values.embedded.enabled) -}}
{{- fail "keys.existingSecret is needed: every pod must see the same keys" -}}
{{- end -}}
{{- if .Values.embedded.enabled -}}
{{- if or (ne (int .Values.provider.replicas) 1) (ne (int .Values.console.replicas) 1) -}}
{{- fail "embedded means one pod: provider.replicas and console.replicas must be 1" -}}
{{- end -}}
{{- if .Values.autoscaling.enabled -}}
{{- fail "embedded means one pod: autoscaling cannot be enabled" -}}
{{- end -}}
{{- if .Values.migration.enabled -}}
{{- fail "embedded migrates at start: migration.enabled must be false" -}}
{{- end -}}
{{- end -}}
{{- if and (or .Values.ingress.enabled .Values.ingress.console.enabled) (not .Values.trustedProxies) -}}
{{- fail "trustedProxies is needed beside an Ingress: without it every citizen has the proxy's address" -}}
{{- end -}}
{{- with .Values.mtls -}}
{{- if and .enabled (not $.Values.tls.existingSecret) -}}
{{- fail "mtls.enabled needs tls.existingSecret: the pods end TLS themselves" -}}
{{- end -}}
{{- if and (or .enabled .trustedProxies) (not .issuerAlias) -}}
{{- fail "mtls.issuerAlias is needed: clients must know where certificates are asked for" -}}
{{- end -}}
{{- if and (or .issuerAlias .clientCa.existingSecret) (not .enabled) (not .trustedProxies) -}}
{{- fail "mtls.issuerAlias and mtls.clientCa mean nothing without mtls.enabled or mtls.trustedProxies" -}}
{{- end -}}
{{- if and .enabled (has (int .port) (list (int $.Values.provider.port) (int $.Values.provider.operationsPort) (int $.Values.console.port) (int $.Values.console.operationsPort))) -}}
{{- fail "mtls.port is another listener's" -}}
{{- end -}}
{{- end -}}
{{- if le (int .Values.shutdown.graceSeconds) (add (int .Values.shutdown.drainSeconds) (int .Values.shutdown.finishSeconds) | int) -}}
{{- fail "shutdown.graceSeconds must be more than drainSeconds and finishSeconds together" -}}
{{- end -}}
{{- end -}}
