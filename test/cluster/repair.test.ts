import { beforeAll, expect, it } from '@jest/globals';
import { describeOnCluster, get, kubectl } from './support/cluster.ts';
import {
  code,
  conditionIn,
  edit,
  LONG_MS,
  type Operator,
  operator,
  seen,
  server,
  settled,
} from './support/operator.ts';
import { eventually } from './support/run.ts';

let here: Operator;

const patch = (what: string, name: string, text: string) =>
  kubectl('patch', what, name, '-n', here.namespace, '--type=merge', '-p', text);

describeOnCluster('what a hand does', () => {
  beforeAll(async () => {
    here = await operator('repair');
    await code(here.namespace);
    await server(here, { replicas: 2, config: { greeting: 'hello' } });
    await settled(here.namespace);
  }, LONG_MS);

  it('to an object of a server is undone', async () => {
    type Service = { spec: { ports: { port: number }[] } };
    const ports = '{"spec":{"ports":[{"name":"chat","port":9999,"protocol":"TCP"}]}}';
    await patch('service', 'chat', ports);
    await eventually('the port being back', async () => {
      const { spec } = await get<Service>('service chat', here.namespace);
      return spec.ports.map(({ port }) => port).join() === '7272';
    });
    await patch('configmap', 'chat-config', '{"data":{"greeting":"hacked"}}');
    await eventually('the configuration being back', async () => {
      const { data } = await get<{ data: object }>('configmap chat-config', here.namespace);
      return JSON.stringify(data) === '{"greeting":"hello"}';
    });
    await patch('pdb', 'chat', '{"spec":{"maxUnavailable":2}}');
    await eventually('the budget being back', async () => {
      const { spec } = await get<{ spec: { maxUnavailable: number } }>('pdb chat', here.namespace);
      return spec.maxUnavailable === 1;
    });
  });

  it(
    'to the spec that no pod can be made from is said in the status, and nothing is lost',
    async () => {
      await edit(here.namespace, { spec: { env: [{ name: 'PORT', value: 8080 }] } });
      const found = await eventually('it is refused', async () => {
        const now = await seen(here.namespace);
        return conditionIn(now, 'Ready')?.reason === 'Refused' && now;
      });
      expect(conditionIn(found, 'Ready')?.message).toMatch(/EnvVar.*env.value of type string/);
      expect(found.status).toMatchObject({ phase: 'Invalid', readyReplicas: 2 });
      await edit(here.namespace, { spec: { env: [{ name: 'PORT', value: '8080' }] } });
      await settled(here.namespace);
    },
    LONG_MS,
  );

  it(
    'to the program so that it cannot start is told in its own words',
    async () => {
      await server(here, { replicas: 1, app: 'missing.ts' }, 'crash');
      await eventually(
        'its last words',
        async () => {
          const ready = conditionIn(await seen(here.namespace, 'crash'), 'Ready');
          return /ended with exit code 78.*: longshore: \/app\/missing.ts does not exist/.test(
            ready?.message ?? '',
          );
        },
        LONG_MS,
      );
    },
    LONG_MS,
  );
});
