{{/* What every pod of this chart has in common: (list root account). */}}
{{- define "idp.pod" -}}
{{- $root := index . 0 -}}
serviceAccountName: {{ index . 1 }}
automountServiceAccountToken: false
{{- /* A Service called idp would leave IDP_PORT in the environment, which reads as a setting. */}}
enableServiceLinks: false
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ $root.Values.podSecurity.runAsUser }}
  runAsGroup: {{ $root.Values.podSecurity.runAsGroup }}
  fsGroup: {{ $root.Values.podSecurity.fsGroup }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{- define "idp.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
privileged: false
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Settings that are no secrets; everything else stands in the mounted file: (list root settings). */}}
{{- define "idp.environment" -}}
{{- $own := index . 1 -}}
{{- with index . 0 -}}
- name: IDP_ISSUER
  value: {{ .Values.issuer | quote }}
- name: IDP_KEYS__DIRECTORY
  value: {{ ternary "/etc/idp/keys" "/var/lib/idp-keys/keys" (ne .Values.keys.existingSecret "") }}
{{- if .Values.embedded.enabled }}
- name: IDP_DATABASE__URL
  value: sqlite:/var/lib/idp/idp.db
{{- end }}
{{- /* Containers are reached by their pod's address; the default of every listener is loopback. */}}
- name: IDP_LISTEN
  value: 0.0.0.0:{{ .Values.provider.port }}
- name: IDP_OPERATIONS__LISTEN
  value: 0.0.0.0:{{ .Values.provider.operationsPort }}
- name: IDP_ADMIN__LISTEN
  value: 0.0.0.0:{{ .Values.console.port }}
- name: IDP_ADMIN__OPERATIONS_LISTEN
  value: 0.0.0.0:{{ .Values.console.operationsPort }}
- name: IDP_ADMIN__PUBLIC_URL
  value: {{ .Values.console.url | quote }}
- name: IDP_ADMIN__CLIENT_ID
  value: {{ .Values.console.clientId | quote }}
- name: IDP_WEB__SHUTDOWN_SECONDS
  value: {{ .Values.shutdown.finishSeconds | quote }}
{{- with $own }}
- name: IDP_WEB__WORKERS
  value: {{ .workers | quote }}
- name: IDP_WEB__PASSWORD_THREADS
  value: {{ .passwordThreads | quote }}
{{- end }}
{{- with .Values.trustedProxies }}
- name: IDP_WEB__TRUSTED_PROXIES
  value: {{ join "," . | quote }}
{{- end }}
{{- if .Values.tls.existingSecret }}
- name: IDP_TLS__CERTIFICATE
  value: /etc/idp/tls/{{ .Values.tls.certificate }}
- name: IDP_TLS__KEY
  value: /etc/idp/tls/{{ .Values.tls.key }}
{{- end }}
{{- if .Values.mtls.enabled }}
- name: IDP_MTLS__LISTEN
  value: 0.0.0.0:{{ .Values.mtls.port }}
{{- end }}
{{- with .Values.mtls.issuerAlias }}
- name: IDP_MTLS__ISSUER_ALIAS
  value: {{ . | quote }}
{{- end }}
{{- if .Values.mtls.clientCa.existingSecret }}
- name: IDP_MTLS__CLIENT_CA
  value: /etc/idp/client-ca/{{ .Values.mtls.clientCa.key }}
{{- end }}
{{- $header := .Values.mtls.certificateHeader }}
{{- with .Values.mtls.trustedProxies }}
- name: IDP_MTLS__TRUSTED_PROXIES
  value: {{ join "," . | quote }}
- name: IDP_MTLS__CERTIFICATE_HEADER
  value: {{ $header | quote }}
{{- end }}
{{- range $name, $value := .Values.settings }}
- name: {{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- end -}}
{{- end -}}

{{- define "idp.mounts" -}}
- name: config
  mountPath: /etc/idp/config
  readOnly: true
{{- if .Values.keys.existingSecret }}
- name: keys
  mountPath: /etc/idp/keys
  readOnly: true
{{- else }}
- name: keys
  mountPath: /var/lib/idp-keys
{{- end }}
{{- if .Values.embedded.enabled }}
- name: database
  mountPath: /var/lib/idp
{{- end }}
- name: tmp
  mountPath: /tmp
{{- /* Whole directories: a file mounted by a sub-path would never change. */}}
{{- if .Values.tls.existingSecret }}
- name: tls
  mountPath: /etc/idp/tls
  readOnly: true
{{- end }}
{{- if .Values.mtls.clientCa.existingSecret }}
- name: client-ca
  mountPath: /etc/idp/client-ca
  readOnly: true
{{- end }}
{{- range $index, $file := .Values.secretFiles }}
- name: secret-{{ $index }}
  mountPath: {{ $file.mountPath }}
  readOnly: true
{{- end }}
{{- end -}}

{{- define "idp.volumes" -}}
- name: config
  secret:
    secretName: {{ include "idp.configSecret" . }}
    defaultMode: 0440
    items:
      - key: {{ .Values.config.key }}
        path: idp.toml
- name: keys
{{- if .Values.keys.existingSecret }}
  secret:
    secretName: {{ .Values.keys.existingSecret }}
    defaultMode: 0440
{{- else }}
  persistentVolumeClaim:
    claimName: {{ include "idp.fullname" . }}-keys
{{- end }}
{{- if .Values.embedded.enabled }}
- name: database
  persistentVolumeClaim:
    claimName: {{ include "idp.fullname" . }}-database
{{- end }}
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
{{- with .Values.tls }}
{{- if .existingSecret }}
- name: tls
  secret:
    secretName: {{ .existingSecret }}
    defaultMode: 0440
    items:
      - key: {{ .certificate }}
        path: {{ .certificate }}
      - key: {{ .key }}
        path: {{ .key }}
{{- end }}
{{- end }}
{{- with .Values.mtls.clientCa }}
{{- if .existingSecret }}
- name: client-ca
  secret:
    secretName: {{ .existingSecret }}
    defaultMode: 0440
    items:
      - key: {{ .key }}
        path: {{ .key }}
{{- end }}
{{- end }}
{{- range $index, $file := .Values.secretFiles }}
- name: secret-{{ $index }}
  secret:
    secretName: {{ $file.secret }}
    defaultMode: 0440
{{- end }}
{{- end -}}

{{/* One serving container: (list root name settings), name being provider or console. */}}
{{- define "idp.container" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $own := index . 2 -}}
- name: {{ $name }}
  image: {{ include "idp.image" $root }}
  imagePullPolicy: {{ $root.Values.image.pullPolicy }}
  {{- /* The image's entry point is the provider; the console stands beside it. */}}
  {{- if eq $name "console" }}
  command: [/usr/local/bin/admin]
  {{- end }}
  args: [--config, /etc/idp/config/idp.toml, serve]
  env:
    {{- include "idp.environment" (list $root $own) | nindent 4 }}
    {{- if and (eq $name "console") $root.Values.console.clientSecret.existingSecret }}
    - name: IDP_ADMIN__CLIENT_SECRET_FILE
      value: /etc/idp/console/{{ $root.Values.console.clientSecret.key }}
    {{- end }}
  ports:
    - name: {{ ternary (include "idp.publicPort" $root) "console" (eq $name "provider") }}
      containerPort: {{ $own.port }}
      protocol: TCP
    {{- if and (eq $name "provider") $root.Values.mtls.enabled }}
    - name: mtls
      containerPort: {{ $root.Values.mtls.port }}
      protocol: TCP
    {{- end }}
    - name: {{ ternary "operations" "console-ops" (eq $name "provider") }}
      containerPort: {{ $own.operationsPort }}
      protocol: TCP
  startupProbe:
    httpGet: {path: /livez, port: {{ $own.operationsPort }}}
    periodSeconds: 2
    timeoutSeconds: 2
    failureThreshold: 60
  livenessProbe:
    httpGet: {path: /livez, port: {{ $own.operationsPort }}}
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: 3
  readinessProbe:
    httpGet: {path: /readyz, port: {{ $own.operationsPort }}}
    periodSeconds: 5
    timeoutSeconds: 3
    failureThreshold: 2
  {{- with $root.Values.shutdown.drainSeconds }}
  lifecycle:
    preStop:
      sleep: {seconds: {{ . }}}
  {{- end }}
  resources:
    {{- toYaml $own.resources | nindent 4 }}
  securityContext:
    {{- include "idp.containerSecurity" $root | nindent 4 }}
  volumeMounts:
    {{- include "idp.mounts" $root | nindent 4 }}
    {{- if and (eq $name "console") $root.Values.console.clientSecret.existingSecret }}
    - name: console-client
      mountPath: /etc/idp/console
      readOnly: true
    {{- end }}
{{- end -}}

{{/* The whole pod template of a Deployment: (list root component settings containers). */}}
{{- define "idp.template" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $own := index . 2 -}}
metadata:
  labels:
    {{- include "idp.labels" (list $root $component) | nindent 4 }}
  {{- if or $root.Values.config.toml $own.podAnnotations }}
  annotations:
    {{- with $root.Values.config.toml }}
    checksum/config: {{ sha256sum . }}
    {{- end }}
    {{- with $own.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
spec:
  {{- include "idp.pod" (list $root (include "idp.serviceAccount" $root)) | nindent 2 }}
  terminationGracePeriodSeconds: {{ $root.Values.shutdown.graceSeconds }}
  {{- if $root.Values.topologySpread.enabled }}
  topologySpreadConstraints:
    {{- range $root.Values.topologySpread.keys }}
    - topologyKey: {{ . }}
      maxSkew: 1
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "idp.selector" (list $root $component) | nindent 10 }}
      matchLabelKeys: [pod-template-hash]
    {{- end }}
  {{- end }}
  {{- with $own.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $own.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $own.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if $root.Values.embedded.enabled }}
  {{- /* The console opens the same file and keys: both are made before either starts. */}}
  initContainers:
    - name: prepare
      image: {{ include "idp.image" $root }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      args: [--config, /etc/idp/config/idp.toml, migrate, up]
      env:
        {{- include "idp.environment" (list $root nil) | nindent 8 }}
      resources:
        {{- toYaml $root.Values.migration.resources | nindent 8 }}
      securityContext:
        {{- include "idp.containerSecurity" $root | nindent 8 }}
      volumeMounts:
        {{- include "idp.mounts" $root | nindent 8 }}
  {{- end }}
  containers:
    {{- index . 3 | nindent 4 }}
  volumes:
    {{- include "idp.volumes" $root | nindent 4 }}
    {{- if and (contains "name: console-client" (index . 3)) $root.Values.console.clientSecret.existingSecret }}
    - name: console-client
      secret:
        secretName: {{ $root.Values.console.clientSecret.existingSecret }}
        defaultMode: 0440
        items:
          - key: {{ $root.Values.console.clientSecret.key }}
            path: {{ $root.Values.console.clientSecret.key }}
    {{- end }}
{{- end -}}
