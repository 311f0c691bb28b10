import { stringify } from 'yaml';
import { channelCrd, crd } from '../operator/api/crd.ts';

/** The CustomResourceDefinitions as a file, and as a template of the chart. */

const HEAD = 'Written by `npm run manifests` from operator/api/schema.ts and schema-channel.ts.';

/**
 * Long lines stay whole: a person searches for a message, and a diff shows it. What kubectl and helm read is YAML 1.1,
 * in which a bare Off is false.
 */
export const yaml = (value: unknown): string =>
  stringify(value, { lineWidth: 0, aliasDuplicateObjects: false, compat: 'yaml-1.1' });

export function crdFile(): string {
  return `# ${HEAD}\n${yaml(crd())}---\n${yaml(channelCrd())}`;
}

export function crdTemplate(): string {
  return `{{- /* ${HEAD} */ -}}
{{- if .Values.crds.enabled }}
${[crd(), channelCrd()].map(part).join('---\n')}{{- end }}
`;
}

function part(definition: object): string {
  const { apiVersion, kind, metadata, spec } = definition as Record<string, unknown>;
  const { name } = metadata as { name: string };
  const body = yaml({ spec });
  if (body.includes('{{')) throw new Error('the schema has {{ in it, which helm would read');
  return `apiVersion: ${apiVersion}
kind: ${kind}
metadata:
  name: ${name}
  labels:
    {{- include "longshore.labels" . | nindent 4 }}
  {{- if .Values.crds.keep }}
  annotations:
    helm.sh/resource-policy: keep
  {{- end }}
${body}`;
}
