import { crdFile, crdTemplate } from './crd.ts';
import { operatorFile } from './operator-manifest.ts';
import { valuesSchema } from './values-schema.ts';

/** Every file that is written from another source: its path, and what has to be in it. */
export const GENERATED: Readonly<Record<string, () => string>> = {
  'manifests/crd.yaml': crdFile,
  'charts/longshore/templates/crd.yaml': crdTemplate,
  'charts/socket-server/values.schema.json': valuesSchema,
};

/** The same; these need helm. */
export const BY_HELM: Readonly<Record<string, () => string>> = {
  'manifests/operator.yaml': operatorFile,
};
