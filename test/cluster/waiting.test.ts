import { beforeAll, expect, it } from '@jest/globals';
import { apply, describeOnCluster, get, kubectl } from './support/cluster.ts';
import {
  code,
  conditionIn,
  ECHO,
  edit,
  LONG_MS,
  type Operator,
  operator,
  podsOf,
  seen,
  server,
  settled,
} from './support/operator.ts';
import { eventually } from './support/run.ts';

const PODS = 3;

let here: Operator;

/** Reasons of the warnings about a server; they are written a little after its status. */
function warnings(called: string): Promise<string> {
  const path = 'jsonpath={.items[*].reason}';
  const which = `type=Warning,involvedObject.kind=SocketServer,involvedObject.name=${called}`;
  return eventually(`warnings about ${called}`, async () => {
    const args = ['get', 'events', '-n', here.namespace, '--field-selector', which, '-o', path];
    return (await kubectl(...args)) || false;
  });
}

describeOnCluster('a server', () => {
  beforeAll(async () => {
    here = await operator('waiting');
    await code(here.namespace);
    await server(here, { replicas: PODS });
    await settled(here.namespace);
  }, LONG_MS);

  it(
    'whose pods are being replaced can be halted in the middle',
    async () => {
      const olds = async () => {
        const { status } = await seen(here.namespace);
        const pods = await podsOf(here.namespace);
        // One that has ended is gone, though its object may be there for a moment more.
        return pods.filter(
          (pod) =>
            pod.metadata.labels['longshore.dev/revision'] !== status?.revision &&
            pod.status.phase === 'Running',
        ).length;
      };
      await edit(here.namespace, { spec: { env: [{ name: 'A', value: '1' }] } });
      const { generation } = (await seen(here.namespace)).metadata;
      await eventually('an old pod is gone', async () => {
        const { status } = await seen(here.namespace);
        return status?.observedGeneration === generation && (await olds()) === PODS - 1;
      });
      await edit(here.namespace, { spec: { rollout: { paused: true } } });
      const paused = await eventually('it is paused', async () => {
        const found = await seen(here.namespace);
        return found.status?.phase === 'Paused' && found;
      });
      expect(conditionIn(paused, 'Progressing')).toMatchObject({ reason: 'Paused' });
      expect(paused.status?.change).toMatchObject({ class: 'PodReplacement', reason: 'env' });
      // What was being drained may end; then nothing moves for longer than a whole pod takes.
      await eventually('no pod is on its way out', async () => {
        const { status } = await seen(here.namespace);
        return status?.drainingReplicas === 0;
      });
      const left = await olds();
      expect(left).toBeGreaterThan(0);
      const found = new Set<number>();
      const end = Date.now() + 20_000;
      await eventually('time', async () => {
        found.add(await olds());
        return Date.now() > end;
      });
      expect([...found]).toEqual([left]);
      await edit(here.namespace, { spec: { rollout: { paused: false } } });
      const after = await settled(here.namespace);
      expect(await olds()).toBe(0);
      expect(after.status?.change).toMatchObject({ class: 'PodReplacement', reason: 'env' });
    },
    2 * LONG_MS,
  );

  it(
    'that names a ConfigMap which is not there waits for it',
    async () => {
      await server(here, { code: { configMap: 'later' } }, 'late');
      const waiting = await eventually('it says so', async () => {
        const found = await seen(here.namespace, 'late');
        return found.status?.phase === 'Invalid' && found;
      });
      expect(conditionIn(waiting, 'Ready')).toMatchObject({
        status: 'False',
        reason: 'Missing',
        message: 'ConfigMap later does not exist; it is looked for again when it is made',
      });
      expect(await podsOf(here.namespace, 'late')).toEqual([]);
      await code(here.namespace, ECHO, 'later');
      await settled(here.namespace, 'late');
      await kubectl('delete', 'lss', 'late', '-n', here.namespace);
    },
    LONG_MS,
  );

  it(
    'that a quota keeps from having its pods says so, and has them when it is raised',
    async () => {
      const { namespace } = here;
      const quota = (pods: number) =>
        apply({
          apiVersion: 'v1',
          kind: 'ResourceQuota',
          metadata: { name: 'few', namespace },
          spec: { hard: { pods: String(pods) } },
        });
      await quota(PODS + 1);
      await server(here, {}, 'many');
      const found = await eventually('it says so', async () => {
        const now = await seen(namespace, 'many');
        return conditionIn(now, 'Ready')?.reason === 'FailedCreate' && now;
      });
      expect(conditionIn(found, 'Ready')?.message).toMatch(
        /^0 of 1 pods are ready .* ReplicaSet many-\w+: pods "many-.*" is forbidden: exceeded quota: few, requested: pods=1, used: pods=\d+, limited: pods=4; raise/,
      );
      expect(conditionIn(found, 'TuningApplied')).toMatchObject({
        status: 'Unknown',
        reason: 'NoPods',
      });
      expect(await warnings('many')).toContain('FailedCreate');
      await kubectl('delete', 'resourcequota', 'few', '-n', namespace);
      await settled(namespace, 'many');
      await kubectl('delete', 'lss', 'many', '-n', namespace);
    },
    LONG_MS,
  );

  it(
    'whose program never listens is stalled before its deadline, and says how it ended',
    async () => {
      const { namespace } = here;
      await code(namespace, "import 'longshore';", 'deaf');
      await server(here, { code: { configMap: 'deaf' } }, 'deaf');
      const found = await eventually(
        'it is stalled',
        async () => {
          const now = await seen(namespace, 'deaf');
          return now.status?.phase === 'Stalled' && now;
        },
        LONG_MS,
      );
      expect(conditionIn(found, 'Stalled')).toMatchObject({
        reason: 'PodCannotStart',
        message: expect.stringMatching(
          /^pod deaf-\S+ can never start as it is: .*container server ended with exit code 78, restarted .*; read kubectl logs deaf-\S+$/,
        ),
      });
      const { startedAt = '', expectedAt } = found.status?.change ?? {};
      expect(Date.now() - Date.parse(startedAt)).toBeLessThan(100_000);
      expect(expectedAt).toBeUndefined();
      expect(await warnings('deaf')).toContain('PodCannotStart');
      await kubectl('delete', 'lss', 'deaf', '-n', namespace);
    },
    LONG_MS,
  );

  it(
    'is scaled by kubectl and by an autoscaler',
    async () => {
      await kubectl('scale', 'lss', 'chat', '-n', here.namespace, '--replicas=1');
      const one = await settled(here.namespace);
      expect(one.status).toMatchObject({ replicas: 1, change: { class: 'Scale' } });
      const target = { apiVersion: 'longshore.dev/v1alpha1', kind: 'SocketServer', name: 'chat' };
      await apply({
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: { name: 'chat', namespace: here.namespace },
        spec: {
          scaleTargetRef: target,
          minReplicas: 2,
          maxReplicas: 4,
          metrics: [
            {
              type: 'Resource',
              resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
            },
          ],
        },
      });
      // Below its least it needs no metrics, which this cluster has not.
      await eventually(
        'the autoscaler',
        async () => (await seen(here.namespace)).spec.replicas === 2,
        LONG_MS,
      );
      await settled(here.namespace);
      type Scaler = { status: { conditions: { type: string; status: string }[] } };
      const { status } = await get<Scaler>('hpa chat', here.namespace);
      expect(status.conditions).toContainEqual(
        expect.objectContaining({ type: 'AbleToScale', status: 'True' }),
      );
      await kubectl('delete', 'hpa', 'chat', '-n', here.namespace);
    },
    LONG_MS,
  );
});
