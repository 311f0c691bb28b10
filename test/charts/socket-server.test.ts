import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { specSchema } from '../../operator/api/schema.ts';
import { channelSpecSchema } from '../../operator/api/schema-channel.ts';
import { CHARTS, helm, type KubeObject, template } from '../../tools/helm.ts';
import { describeUnless } from '../cluster/support/skip.ts';
import { faults } from '../support/schema-faults.ts';
import { ciValues, NO_HELM, namesOf, notes, one, refusal, using } from './support/charts.ts';
import { flat, tableOf } from './support/values-table.ts';

const FILES = ciValues('socket-server');
const valuesOf = (file: string) =>
  parse(readFileSync(join(CHARTS, 'socket-server/ci', file), 'utf8'));
const withFile = (file: string, ...more: string[]) =>
  template('socket-server', ...using('socket-server', file), ...more);
const server = (all: readonly KubeObject[]) => one(all, 'SocketServer');
const LEAST = ['image="x"', 'app="app.ts"'];

describeUnless(NO_HELM, 'charts/socket-server', () => {
  it.each(FILES)('passes helm lint with %s', (file) => {
    helm('lint', '--strict', join(CHARTS, 'socket-server'), ...using('socket-server', file));
  });

  it.each(FILES)('makes a server that the schema allows with %s', (file) => {
    expect(faults(specSchema, server(withFile(file))['spec'], 'spec')).toEqual([]);
  });

  it('hands every field of the spec on as it is', () => {
    const { fullnameOverride, labels, annotations, ...spec } = valuesOf('everything-values.yaml');
    expect(Object.keys(spec).sort()).toEqual(Object.keys(specSchema.properties ?? {}).sort());
    const made = server(withFile('everything-values.yaml'));
    expect(made['spec']).toEqual(spec);
    expect(made.metadata).toMatchObject({ name: fullnameOverride, labels, annotations });
  });

  it('leaves what is empty to the defaults of the definition', () => {
    expect(server(withFile('echo-values.yaml'))['spec']).toEqual({
      replicas: 1,
      ...valuesOf('echo-values.yaml'),
    });
  });

  it('is called like the release, because clients look for the Service', () => {
    expect(namesOf(withFile('echo-values.yaml'))).toEqual(['SocketServer apps/demo']);
  });

  it('makes a ConfigMap of files, and runs the program from it', () => {
    const all = withFile('files-values.yaml');
    expect(one(all, 'ConfigMap', 'demo-code')['data']).toEqual(valuesOf('files-values.yaml').files);
    expect(server(all)['spec'].code).toEqual({ configMap: 'demo-code' });
  });

  it('makes a ChannelServer that the schema allows, and refers to it', () => {
    const all = withFile('channel-values.yaml');
    const { kind, metadata, spec } = one(all, 'ChannelServer');
    expect([kind, metadata.name]).toEqual(['ChannelServer', 'demo']);
    expect(faults(channelSpecSchema, spec, 'spec')).toEqual([]);
    expect(spec).toEqual({
      replicas: 3,
      image: 'longshore:0.1.0',
      history: { maxBytes: 134_217_728 },
      resources: { requests: { memory: '256Mi' } },
    });
    expect(server(all)['spec'].channelRef).toEqual({ name: 'demo' });
    expect(namesOf(withFile('echo-values.yaml'))).not.toContain('ChannelServer apps/demo');
  });

  it('has an autoscaler on the scale of the server', () => {
    const { spec } = one(withFile('autoscaled-values.yaml'), 'HorizontalPodAutoscaler');
    const { scaleTargetRef, minReplicas, maxReplicas, metrics, behavior } = spec;
    expect(scaleTargetRef).toEqual({
      apiVersion: 'longshore.dev/v1alpha1',
      kind: 'SocketServer',
      name: 'demo',
    });
    expect([minReplicas, maxReplicas]).toEqual([3, 30]);
    expect(metrics.map(({ type }: { type: string }) => type)).toEqual(['Resource', 'Pods']);
    expect(behavior.scaleDown.stabilizationWindowSeconds).toBe(1800);
  });

  it.each([
    ['echo-values.yaml', [], 1, 1],
    ['echo-values.yaml', ['--set', 'replicas=7'], 7, 7],
    ['echo-values.yaml', ['--set-json', 'replicas=null'], undefined, undefined],
    ['everything-values.yaml', [], 0, 0],
    ['files-values.yaml', [], 3, undefined],
    ['files-values.yaml', ['--set-json', 'replicas=null'], undefined, undefined],
    ['autoscaled-values.yaml', [], 3, undefined],
    ['autoscaled-values.yaml', ['--set', 'replicas=8'], 8, undefined],
  ])(
    'says with %s and %j how many pods: %s at the installation, then %s',
    (file, more, first, then) => {
      expect(server(withFile(file, ...more))['spec'].replicas).toBe(first);
      expect(server(withFile(file, ...more, '--is-upgrade'))['spec'].replicas).toBe(then);
    },
  );
});

describeUnless(NO_HELM, 'values of charts/socket-server', () => {
  it.each([
    [[], 'image'],
    [[...LEAST, 'replica=2'], 'replica'],
    [[...LEAST, 'replicas=1001'], 'replicas'],
    [[...LEAST, 'replicas="2"'], 'replicas'],
    [['image="a b"', 'app="app.ts"'], 'image'],
    [[...LEAST, 'imagePullPolicy="Sometimes"'], 'imagePullPolicy'],
    [[...LEAST, 'workers=[{"count":2}]'], 'workers'],
    [[...LEAST, 'workers=[{"name":"a","ports":[1]}]'], 'ports'],
    [[...LEAST, 'workers=[{"name":"a","listen":"ws://0.0.0.0:1"}]'], 'listen'],
    [[...LEAST, 'workers=[{"name":"a","count":0}]'], 'count'],
    [[...LEAST, 'drain.window=3'], 'window'],
    [[...LEAST, 'drain.windowSeconds=4000'], 'windowSeconds'],
    [[...LEAST, 'tuning.mode="Fast"'], 'mode'],
    [[...LEAST, 'tuning.sysctls={"net.core.somaxconn":"many"}'], 'somaxconn'],
    [[...LEAST, 'service.type="External"'], 'type'],
    [[...LEAST, 'podTemplate.spec={"hostNetwork":true}'], 'hostNetwork'],
    [[...LEAST, 'code={"secret":"x"}'], 'code'],
    [[...LEAST, 'files={"a/b.ts":""}'], 'a/b.ts'],
    [[...LEAST, 'files={"app.ts":""}', 'code={"configMap":"x"}'], 'files and code are both set'],
    [[...LEAST, 'channel={"replica":2}'], 'replica'],
    [[...LEAST, 'channel={"engine":"redis"}'], 'engine'],
    [
      [...LEAST, 'channel={"enabled":true}', 'channelRef={"name":"x"}'],
      'channel.enabled and channelRef are both set',
    ],
    [[...LEAST, 'autoscaling={"enabled":true}'], 'resources.requests.cpu'],
    [
      [...LEAST, 'autoscaling={"enabled":true,"targetCPUUtilizationPercentage":0}'],
      'nothing to go by',
    ],
    [
      [...LEAST, 'autoscaling={"enabled":true,"maxReplicas":1,"minReplicas":2}'],
      'maxReplicas is 1, below autoscaling.minReplicas, 2',
    ],
  ])('%j are refused', (set, named) => {
    expect(refusal('socket-server', ...set)).toContain(named);
  });

  it('are all in the table of README.md, with their defaults', () => {
    const values = parse(readFileSync(join(CHARTS, 'socket-server/values.yaml'), 'utf8'));
    expect(tableOf('socket-server')).toEqual(flat(values));
  });
});

describeUnless(NO_HELM, 'what helm prints for a server', () => {
  const text = (file: string) => notes('socket-server', ...using('socket-server', file));

  it('says how to reach it', () => {
    expect(text('echo-values.yaml')).toContain('echo: ws://demo.apps:2346');
    expect(text('echo-values.yaml')).toContain('port-forward service/demo 2346:2346');
    expect(text('everything-values.yaml')).toContain('chat: ws://harbour.apps:80\n');
    expect(text('everything-values.yaml')).toContain('inner: udp://harbour.apps:9000\n');
    expect(text('everything-values.yaml')).toContain('loadBalancer.ingress');
    expect(text('files-values.yaml')).toContain('It has no Service: service.type is None.');
  });

  it('says who decides how many pods there are', () => {
    expect(text('autoscaled-values.yaml')).toContain('get hpa demo');
    expect(text('files-values.yaml')).toContain('scale lss demo --replicas N');
    expect(text('echo-values.yaml')).not.toContain('scale');
  });
});
