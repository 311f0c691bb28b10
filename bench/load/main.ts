// The load generator: a process of its own that opens connections and keeps them busy as it is told over IPC.
import { Fanout } from './fanout.ts';
import { type Client, Flow } from './flow.ts';
import type { Asked, Order, Told } from './orders.ts';
import { Storm } from './storm.ts';
import { Topic } from './topic.ts';

const clients: Client[] = [];

function clientOf(number: number): Client {
  const client = clients[number];
  if (!client) throw new Error(`there is no client ${number}`);
  return client;
}

async function obey(order: Order): Promise<unknown> {
  switch (order.do) {
    case 'flow':
      return clients.push(await Flow.open(order)) - 1;
    case 'fanout':
      return clients.push(await Fanout.open(order)) - 1;
    case 'topic':
      return clients.push(await Topic.open(order)) - 1;
    case 'storm':
      return new Storm(order).blow();
    case 'run':
      return clientOf(order.client).run(order.ms);
    case 'close':
      clientOf(order.client).close();
      return true;
  }
}

async function answer({ id, order }: Asked): Promise<Told> {
  try {
    return { id, result: await obey(order) };
  } catch (error) {
    return { id, error: String((error as Error | undefined)?.stack ?? error) };
  }
}

process.on('message', (asked: Asked) => {
  void answer(asked).then((told) => process.send?.(told));
});
// Whoever gave the orders is gone.
process.on('disconnect', () => process.exit());
