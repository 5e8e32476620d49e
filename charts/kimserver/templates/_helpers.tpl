{{- /* Names, labels and images, each said once. */ -}}

{{- define "kimserver.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "kimserver.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "kimserver.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "kimserver.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "kimserver.operator" -}}
{{- include "kimserver.fullname" . -}}-operator
{{- end -}}

{{- /* What belongs to no namespace has ours in its name: releases of the same name in several namespaces do not meet. */ -}}
{{- define "kimserver.clusterName" -}}
{{- .Release.Namespace -}}-{{- include "kimserver.operator" . -}}
{{- end -}}

{{- define "kimserver.selector" -}}
app.kubernetes.io/name: {{ include "kimserver.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end -}}

{{- define "kimserver.selectorText" -}}
{{- $pairs := list -}}
{{- range $name, $value := include "kimserver.selector" . | fromYaml }}{{ $pairs = append $pairs (printf "%s=%s" $name $value) }}{{ end -}}
{{- join "," $pairs -}}
{{- end -}}

{{- define "kimserver.labels" -}}
{{ include "kimserver.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: kimserver
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* Labels and annotations of an object: (dict "root" $ "labels" .. "annotations" ..); what is special wins. */ -}}
{{- define "kimserver.meta" -}}
labels:
  {{- merge (deepCopy (.labels | default dict)) (include "kimserver.labels" .root | fromYaml) | toYaml | nindent 2 }}
{{- with merge (deepCopy (.annotations | default dict)) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "kimserver.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "kimserver.operator" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "kimserver.leaseName" -}}
{{- default (include "kimserver.operator" .) .Values.leaderElection.leaseName -}}
{{- end -}}

{{- define "kimserver.key" -}}
{{- default (printf "%s-key" (include "kimserver.operator" .)) .Values.signingKeySecret -}}
{{- end -}}

{{- /* (dict "root" $ "image" ..) */ -}}
{{- define "kimserver.reference" -}}
{{- with .root.Values.global.imageRegistry }}{{ trimSuffix "/" . }}/{{ end -}}
{{- .image.repository -}}
{{- if .image.digest }}@{{ .image.digest }}{{ else }}:{{ .image.tag | default .root.Chart.AppVersion }}{{ end -}}
{{- end -}}

{{- define "kimserver.image" -}}
{{- include "kimserver.reference" (dict "root" . "image" .Values.image) -}}
{{- end -}}

{{- define "kimserver.nodeImage" -}}
{{- with .Values.nodeImage -}}
{{- if or .repository .tag .digest -}}
{{- $image := dict "repository" (.repository | default $.Values.image.repository) "tag" .tag "digest" .digest -}}
{{- include "kimserver.reference" (dict "root" $ "image" $image) -}}
{{- else -}}
{{- include "kimserver.image" $ -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "kimserver.pullSecrets" -}}
{{- with concat .Values.global.imagePullSecrets .Values.imagePullSecrets | uniq }}{{ toYaml . }}{{ end -}}
{{- end -}}

{{- define "kimserver.testNamespace" -}}
{{- .Values.tests.namespace | default (first .Values.namespaces) | default .Release.Namespace -}}
{{- end -}}
