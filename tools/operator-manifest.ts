import { yaml } from './crd.ts';
import { CHARTS, type KubeObject, objects, rendered } from './helm.ts';

/**
 * The operator as one file for `kubectl apply`: what the chart makes with its own values, without what belongs to helm.
 * Needs helm, so that there is one source.
 */

const NAMESPACE = 'longshore-system';
const OF_HELM = new Set(['helm.sh/chart', 'app.kubernetes.io/managed-by']);

export function operatorFile(): string {
  const left = ['--no-hooks', '--set', 'crds.enabled=false,dashboards.enabled=false'];
  const text = rendered(`${CHARTS}/longshore`, 'longshore', NAMESPACE, ...left);
  const all = [namespace(), ...objects(text).map(plain)];
  const head =
    '# The operator, for all namespaces. Apply crd.yaml first. Written by `npm run manifests` from charts/longshore.\n';
  return head + all.map(yaml).join('---\n');
}

function namespace(): object {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE, labels } };
}

/** Without helm's labels, wherever they are. */
function plain(value: KubeObject): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, child) =>
      key === 'labels' && typeof child === 'object'
        ? Object.fromEntries(Object.entries(child).filter(([name]) => !OF_HELM.has(name)))
        : child,
    ),
  );
}
