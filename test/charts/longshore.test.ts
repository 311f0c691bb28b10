import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { channelCrd, crd } from '../../operator/api/crd.ts';
import { specSchema } from '../../operator/api/schema.ts';
import { VERSION } from '../../src/contract.ts';
import { CHARTS, helm, type KubeObject, template } from '../../tools/helm.ts';
import { describeUnless } from '../cluster/support/skip.ts';
import { faults } from '../support/schema-faults.ts';
import {
  ciValues,
  NO_HELM,
  namesOf,
  notes,
  notRestricted,
  one,
  type PodSpec,
  refusal,
  using,
} from './support/charts.ts';
import { flat, tableOf } from './support/values-table.ts';

const FILES = ciValues('longshore');
const CLUSTER_WIDE = ['ClusterRole', 'ClusterRoleBinding', 'CustomResourceDefinition'];
const withFile = (file: string) => template('longshore', ...using('longshore', file));
const rules = (name: string) =>
  parse(readFileSync(join(CHARTS, 'longshore/rbac', `${name}.yaml`), 'utf8'));

/** The pods that objects make. */
function podsOf(all: readonly KubeObject[]): PodSpec[] {
  return all.flatMap(({ kind, spec }) => {
    if (kind === 'Pod') return [spec as PodSpec];
    return kind === 'Deployment' ? [spec.template.spec as PodSpec] : [];
  });
}

describeUnless(NO_HELM, 'charts/longshore', () => {
  it.each(FILES)('passes helm lint with %s', (file) => {
    helm('lint', '--strict', join(CHARTS, 'longshore'), ...using('longshore', file));
  });

  it.each(FILES)('makes each object once and in a namespace with %s', (file) => {
    const all = withFile(file);
    expect(new Set(namesOf(all)).size).toBe(all.length);
    const lost = all.filter(
      ({ kind, metadata }) => (metadata.namespace === undefined) !== CLUSTER_WIDE.includes(kind),
    );
    expect(namesOf(lost)).toEqual([]);
  });

  it.each(FILES)('makes pods that PodSecurity restricted lets in with %s', (file) => {
    const pods = podsOf(withFile(file));
    expect(pods).toHaveLength(2);
    expect(pods.flatMap(notRestricted)).toEqual([]);
  });

  it.each([
    ['socketservers.longshore.dev', crd()],
    ['channelservers.longshore.dev', channelCrd()],
  ])('makes the CustomResourceDefinition %s of operator/api, and keeps it', (name, made) => {
    const { metadata, spec } = one(template('longshore'), 'CustomResourceDefinition', name);
    const { labels, ...rest } = metadata;
    expect(rest).toEqual({ name, annotations: { 'helm.sh/resource-policy': 'keep' } });
    expect(labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'Helm' });
    expect(spec).toEqual(JSON.parse(JSON.stringify((made as KubeObject)['spec'])));
  });

  it('does not keep it, or does not make it, when told so', () => {
    const loose = template('longshore', '--set', 'crds.keep=false');
    const kept = loose.filter(({ kind }) => kind === 'CustomResourceDefinition');
    expect(kept.map(({ metadata }) => metadata.annotations)).toEqual([undefined, undefined]);
    const none = template('longshore', '--set', 'crds.enabled=false');
    expect(none.filter(({ kind }) => kind === 'CustomResourceDefinition')).toEqual([]);
  });

  it.each([
    ['', `longshore:${VERSION}`],
    ['image.tag=v2', 'longshore:v2'],
    ['image.registry=a:5000,image.tag=v2', 'a:5000/longshore:v2'],
    ['global.imageRegistry=b', `b/longshore:${VERSION}`],
    ['global.imageRegistry=b,image.registry=a', `a/longshore:${VERSION}`],
    [
      `image.repository=team/x,image.tag=v2,image.digest=sha256:${'0'.repeat(64)}`,
      `team/x@sha256:${'0'.repeat(64)}`,
    ],
  ])('takes from %s the image %s', (set, image) => {
    const all = template('longshore', ...(set === '' ? [] : ['--set', set]));
    const [container] = one(all, 'Deployment')['spec'].template.spec.containers;
    expect(container).toMatchObject({ image, args: ['operator'] });
    expect(one(all, 'Pod')['spec'].containers[0].image).toBe(image);
  });

  it('tells the operator its namespaces and who it is', () => {
    const [container] = one(withFile('namespaces-values.yaml'), 'Deployment')['spec'].template.spec
      .containers;
    expect(container.env).toEqual([
      { name: 'NODE_OPTIONS', value: '--max-semi-space-size=4' },
      { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      {
        name: 'LONGSHORE_OPERATOR_LEASE_NAMESPACE',
        valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } },
      },
      { name: 'LONGSHORE_OPERATOR_NAMESPACES', value: 'games,chat' },
    ]);
  });

  it('tests in the namespace of the release, with a server where servers are looked after', () => {
    const all = template('longshore', '--set', 'watchNamespaces={games,chat}');
    const tests = all.filter(({ metadata }) => metadata.annotations?.['helm.sh/hook'] === 'test');
    expect(namesOf(tests)).toEqual([
      'ServiceAccount apps/demo-longshore-test',
      'Role games/demo-longshore-test',
      'RoleBinding games/demo-longshore-test',
      'Pod apps/demo-longshore-test',
    ]);
    const env = (one(tests, 'Pod')['spec'].containers[0].env ?? []) as Record<string, string>[];
    const made = JSON.parse(env.find(({ name }) => name === 'SERVER')?.['value'] ?? '');
    expect(made.metadata).toEqual({ name: 'demo-longshore-test', namespace: 'games' });
    expect(faults(specSchema, made.spec, 'spec')).toEqual([]);
  });

  it('has a disruption budget only where one replica can be spared', () => {
    const budgets = (...set: string[]) =>
      template('longshore', ...set).filter(({ kind }) => kind === 'PodDisruptionBudget');
    expect(budgets()).toEqual([]);
    expect(budgets('--set', 'replicas=2')).toHaveLength(1);
  });
});

describeUnless(NO_HELM, 'rights of the operator', () => {
  const account = { kind: 'ServiceAccount', name: 'demo-longshore', namespace: 'apps' };

  it('for all namespaces are those of rbac/, in one ClusterRole', () => {
    const all = template('longshore');
    const role = one(all, 'ClusterRole', 'apps-demo-longshore');
    expect(role['rules']).toEqual([...rules('cluster'), ...rules('servers')]);
    expect(one(all, 'ClusterRoleBinding')['subjects']).toEqual([account]);
    expect(one(all, 'Role', 'demo-longshore')['rules']).toEqual(rules('home'));
  });

  it('for named namespaces reach no further', () => {
    const all = withFile('namespaces-values.yaml');
    expect(one(all, 'ClusterRole', 'apps-demo-longshore')['rules']).toEqual(rules('cluster'));
    const roles = all.filter(({ metadata }) => metadata.name === 'apps-demo-longshore-servers');
    expect(namesOf(roles.filter(({ kind }) => /^Role/.test(kind)))).toEqual([
      'Role games/apps-demo-longshore-servers',
      'Role chat/apps-demo-longshore-servers',
      'RoleBinding games/apps-demo-longshore-servers',
      'RoleBinding chat/apps-demo-longshore-servers',
    ]);
    for (const role of roles.filter(({ kind }) => kind === 'Role'))
      expect(role['rules']).toEqual(rules('servers'));
    for (const binding of roles.filter(({ kind }) => kind === 'RoleBinding'))
      expect(binding['subjects']).toEqual([account]);
  });

  it('are given to nobody else, and contain no wildcard', () => {
    for (const file of FILES) {
      const all = withFile(file);
      const granted = all.flatMap((each) => (each['rules'] ?? []) as { verbs?: string[] }[]);
      expect(JSON.stringify(granted)).not.toContain('*');
      const accounts = all
        .filter(({ kind }) => kind.endsWith('RoleBinding'))
        .flatMap(({ subjects }) => subjects as { kind: string; name: string }[]);
      expect(accounts.every(({ kind }) => kind === 'ServiceAccount')).toBe(true);
    }
  });
});

describeUnless(NO_HELM, 'values of charts/longshore', () => {
  it.each([
    ['replica=2', 'replica'],
    ['replicas="2"', 'replicas'],
    ['replicas=-1', 'replicas'],
    ['image.name="x"', 'name'],
    ['image.digest="sha256:12"', 'digest'],
    ['image.pullPolicy="Sometimes"', 'pullPolicy'],
    ['watchNamespaces="games"', 'watchNamespaces'],
    ['watchNamespaces=["Games"]', 'watchNamespaces'],
    ['watchNamespaces=["a","a"]', 'watchNamespaces'],
    ['crds.kept=true', 'kept'],
    ['podMonitor.labels={}', 'labels'],
    ['podMonitor.interval="often"', 'interval'],
    ['prometheusRule.disabled=["Watchdog"]', 'disabled'],
    ['prometheusRule.runbookBaseUrl="docs"', 'runbookBaseUrl'],
    ['test.address="echo:2346"', 'address'],
    ['podDisruptionBudget.maxUnavailable="half"', 'maxUnavailable'],
    ['podLabels={"a":1}', 'podLabels'],
  ])('%s is refused', (set, named) => {
    expect(refusal('longshore', set)).toContain(named);
  });

  it('are all in the table of README.md, with their defaults', () => {
    const values = parse(readFileSync(join(CHARTS, 'longshore/values.yaml'), 'utf8'));
    expect(tableOf('longshore')).toEqual(flat(values));
  });
});

describeUnless(NO_HELM, 'what helm prints', () => {
  it('names the next commands', () => {
    const text = notes('longshore');
    expect(text).toContain('helm --namespace apps test demo --logs');
    expect(text).toContain(`image: longshore:${VERSION}`);
    expect(text).not.toContain('WARNING');
  });

  it('warns of values that can hurt', () => {
    expect(notes('longshore', '--set', 'crds.keep=false')).toContain('WARNING: crds.keep is false');
    expect(notes('longshore', '--set', 'podMonitor.enabled=true')).toContain('podMonitorSelector');
    expect(notes('longshore', '--set', 'networkPolicy.enabled=true')).toContain(
      'only pods of servers in apps',
    );
    expect(notes('longshore', '--set', 'replicas=0')).toContain('nothing is reconciled');
  });
});
