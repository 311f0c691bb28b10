import { ChannelClient, type ChannelClientOptions } from '../../src/channel/client.ts';
import { ChannelServer } from '../../src/channel/server.ts';
import { Cable } from './cable.ts';
import { cleanUp, listening } from './in-process.ts';
import { endNats, natsServer, WHY_NOT } from './nats.ts';
import { eventually, whereIs } from './peer.ts';

/** One server of an engine, and all that is connected to it. */
export type Place = {
  /** A client, connected. */
  client(options?: ChannelClientOptions): Promise<ChannelClient>;
  /** A client behind a cable that can be pulled, connected. */
  distant(options?: ChannelClientOptions): Promise<{ client: ChannelClient; cable: Cable }>;
  /** A client that is not connected yet. */
  unconnected(options?: ChannelClientOptions): ChannelClient;
};

/** What can carry channels: the tests of what an application sees are the same for each. */
export type Engine = {
  readonly name: string;
  /** Why its tests are skipped; `undefined`: they are not. */
  readonly whyNot: string | undefined;
  readonly place: () => Promise<Place>;
};

const clients: ChannelClient[] = [];
const cables: Cable[] = [];

/** For `afterEach`. */
export async function endPlaces(): Promise<void> {
  for (const client of clients.splice(0)) client.close();
  for (const cable of cables.splice(0)) cable.remove();
  await endNats();
  await cleanUp();
}

/** A client of an address, closed at the end. */
export function clientOf(address: string, options: ChannelClientOptions = {}): ChannelClient {
  const client = new ChannelClient(address, options);
  clients.push(client);
  return client;
}

/** The same, connected. */
export async function connected(
  address: string,
  options?: ChannelClientOptions,
): Promise<ChannelClient> {
  const client = clientOf(address, options);
  client.connect();
  await eventually(() => client.connected);
  return client;
}

function placeAt(port: number, scheme: string): Place {
  const at = (to: number) => `${scheme}127.0.0.1:${to}`;
  return {
    client: (options) => connected(at(port), options),
    unconnected: (options) => clientOf(at(port), options),
    distant: async (options) => {
      const cable = await Cable.to(port);
      cables.push(cable);
      return { client: await connected(at(cable.port), options), cable };
    },
  };
}

export const NATIVE: Engine = {
  name: 'native',
  whyNot: undefined,
  place: async () => {
    const server = await listening(new ChannelServer('127.0.0.1:0'));
    return placeAt((whereIs(server) as { port: number }).port, '');
  },
};

export const NATS: Engine = {
  name: 'nats',
  whyNot: WHY_NOT,
  place: async () => placeAt((await natsServer()).port, 'nats://'),
};

/** Waits until a subscription is in place: what a client publishes goes the same way. */
export async function subscribed(client: ChannelClient, channel: string): Promise<void> {
  let back = false;
  const before = client.onMessage;
  client.onMessage = () => {
    back = true;
  };
  const probe = `probe ${channel}`;
  client.subscribe(probe);
  client.publish(probe, 1);
  await eventually(() => back, `the subscription of ${channel}`);
  client.unsubscribe(probe);
  client.onMessage = before;
}
