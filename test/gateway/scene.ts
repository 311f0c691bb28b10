import { BusinessWorker, type BusinessWorkerOptions } from '../../src/gateway/business-worker.ts';
import { GatewayClient } from '../../src/gateway/client.ts';
import { Gateway, type GatewayOptions } from '../../src/gateway/gateway.ts';
import { cleanUp } from '../support/in-process.ts';
import { Peer } from '../support/peer.ts';

/** Gateways, BusinessWorkers and clients in the test's own process, over real sockets. */
export class Scene {
  readonly gateways: Gateway[] = [];
  readonly #business: BusinessWorker[] = [];
  readonly #clients: GatewayClient[] = [];
  readonly #peers: Peer[] = [];

  /** @param gateways how many @param scheme what clients speak */
  static async open({
    gateways = 2,
    scheme = 'text',
    ...options
  }: { gateways?: number; scheme?: string } & GatewayOptions = {}): Promise<Scene> {
    const scene = new Scene();
    for (let i = 0; i < gateways; i += 1) {
      const gateway = new Gateway<string>(`${scheme}://127.0.0.1:0`, {
        inner: '127.0.0.1:0',
        ...options,
      });
      scene.gateways.push(gateway);
      await gateway.listen();
    }
    return scene;
  }

  get addresses(): string[] {
    return this.gateways.map(({ innerAddress }) => innerAddress ?? '');
  }

  /** One that does not listen yet. */
  business(
    set: (worker: BusinessWorker) => void,
    options: BusinessWorkerOptions = {},
  ): BusinessWorker {
    const worker = new BusinessWorker({ gateways: this.addresses, ...options });
    set(worker);
    this.#business.push(worker);
    return worker;
  }

  /** A process beside. */
  async outside(options: object = {}): Promise<GatewayClient> {
    const client = new GatewayClient({ gateways: this.addresses, ...options });
    this.#clients.push(client);
    await client.connect();
    return client;
  }

  /** A client of one of the gateways. */
  async client(gateway: number): Promise<Peer> {
    const peer = await Peer.toWorker(this.gateways[gateway] as Gateway);
    this.#peers.push(peer);
    return peer;
  }

  async end(): Promise<void> {
    for (const peer of this.#peers) peer.destroy();
    for (const client of this.#clients) client.close();
    for (const { gateway } of this.#business) gateway.close();
    for (const gateway of this.gateways) await gateway.close();
    await cleanUp();
  }
}
