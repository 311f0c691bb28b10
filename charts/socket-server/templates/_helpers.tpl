{{- define "socket-server.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 45 | trimSuffix "-" -}}
{{- else if or (eq $name "socket-server") (contains $name .Release.Name) -}}
{{- /* A server is called like its release: its Service is what clients look for. */ -}}
{{- .Release.Name | trunc 45 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 45 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "socket-server.channelName" -}}
{{- default (include "socket-server.fullname" . | trunc 37 | trimSuffix "-") .Values.channel.name -}}
{{- end -}}

{{- define "socket-server.labels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- /*
The number of pods that stands in the manifest, or nothing. Whose number it is not ours to say: what there is now.
Helm takes a field away that the release before had, and the API server puts its default there, 1: so a field that was
written at the installation has to be written again. Without a cluster to look at (helm template, GitOps) an upgrade has
none.
*/ -}}
{{- define "socket-server.replicas" -}}
{{- if kindIs "invalid" .Values.replicas -}}
{{- else if or .Values.autoscaling.enabled .Values.keepReplicas -}}
{{- $now := lookup "longshore.dev/v1alpha1" "SocketServer" .Release.Namespace (include "socket-server.fullname" .) -}}
{{- if $now -}}
{{- $now.spec.replicas -}}
{{- else if .Release.IsInstall -}}
{{- if .Values.autoscaling.enabled -}}
{{- max .Values.autoscaling.minReplicas .Values.replicas -}}
{{- else -}}
{{- .Values.replicas -}}
{{- end -}}
{{- end -}}
{{- else -}}
{{- .Values.replicas -}}
{{- end -}}
{{- end -}}
