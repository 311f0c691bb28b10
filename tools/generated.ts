import { crdFile, crdTemplate } from './crd.ts';
import { dashboardFile } from './dashboards/grafana.ts';
import { operator } from './dashboards/operator.ts';
import { servers } from './dashboards/servers.ts';
import { operatorFile } from './operator-manifest.ts';
import { channelPage, specPage } from './spec-page.ts';
import { valuesSchema } from './values-schema.ts';

/** Every file that is written from another source: its path, and what has to be in it. */
export const GENERATED: Readonly<Record<string, () => string>> = {
  'manifests/crd.yaml': crdFile,
  'charts/longshore/templates/crd.yaml': crdTemplate,
  'charts/longshore/dashboards/operator.json': () => dashboardFile(operator),
  'charts/longshore/dashboards/servers.json': () => dashboardFile(servers),
  'charts/socket-server/values.schema.json': valuesSchema,
  'docs/channelserver.md': channelPage,
  'docs/socketserver.md': specPage,
};

/** The same; these need helm. */
export const BY_HELM: Readonly<Record<string, () => string>> = {
  'manifests/operator.yaml': operatorFile,
};
