import { ENV } from '../contract.ts';
import { misuse } from '../errors.ts';
import type { Member, Peers, Service, ToMaster } from '../master/messages.ts';
import { membersOf } from '../master/peers-format.ts';

/** A list as it is known now. Of two lists the one with the greater version is newer. */
export type KnownPeers = { readonly version: number; readonly members: readonly Member[] };

/** Variables with a list that nobody overrides. */
const FIXED: Readonly<Record<Service, string>> = {
  channel: ENV.channel,
  gateway: ENV.gateways,
  globaldata: ENV.globaldata,
};

type Watcher = { readonly service: Service; readonly call: () => void };

/**
 * Where the servers are that this program's clients may use. In this order: what the environment says, what the
 * operator has pushed, what runs beside us on this machine.
 */
class PeerList {
  #pushed: Peers | undefined = undefined;
  #locals: Peers | undefined = undefined;
  readonly #watchers = new Set<Watcher>();

  /** From the operator; an older list than is known is ignored. */
  set(peers: Peers): void {
    if (this.#pushed && peers.version < this.#pushed.version) return;
    this.#change(() => {
      this.#pushed = peers;
    });
  }

  /** From the master: what runs on this machine. */
  setLocals(locals: Peers): void {
    this.#change(() => {
      this.#locals = locals;
    });
  }

  #change(apply: () => void): void {
    const before = new Map([...this.#watchers].map(({ service }) => [service, this.of(service)]));
    apply();
    for (const { service, call } of [...this.#watchers]) {
      if (
        JSON.stringify(before.get(service)?.members) !== JSON.stringify(this.of(service)?.members)
      )
        call();
    }
  }

  /** The servers of a service; `undefined` while nothing is known. */
  of(service: Service): KnownPeers | undefined {
    const far = this.far(service);
    if (far) return far;
    const local = this.#locals?.[service];
    if (this.#locals && local && local.length > 0)
      return { version: this.#locals.version, members: local };
    return undefined;
  }

  /** The same without what only runs beside us. */
  far(service: Service): KnownPeers | undefined {
    const fixed = membersOf(process.env[FIXED[service]] ?? '');
    if (fixed.length > 0) return { version: 0, members: fixed };
    const pushed = this.#pushed?.[service];
    if (this.#pushed && pushed) return { version: this.#pushed.version, members: pushed };
    return undefined;
  }

  /** Calls at every change of a service's list, until the returned function is called. */
  watch(service: Service, call: () => void): () => void {
    const watcher = { service, call };
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /**
   * Asks the master to run a server of a service for this program; a watcher is called when it is there.
   *
   * @throws {TypeError} `CHANNEL_INVALID` or `GLOBALDATA_INVALID` outside of a process of `Worker.runAll()`
   */
  want(service: Exclude<Service, 'gateway'>): void {
    if (this.of(service)) return;
    if (process.send && process.env[ENV.child] !== undefined) {
      process.send({ t: 'wants', service } satisfies ToMaster);
      return;
    }
    const client = service === 'channel' ? 'ChannelClient' : 'GlobalDataClient';
    throw misuse(
      service === 'channel' ? 'CHANNEL_INVALID' : 'GLOBALDATA_INVALID',
      `a ${client} without an address needs a process of Worker.runAll(), or ${FIXED[service]}`,
    );
  }

  /** Tells all processes of this program that this one serves a service, until it ends. Without a master it does nothing. */
  announce(service: Service, address: string): void {
    if (process.connected && process.env[ENV.child] !== undefined)
      process.send?.({ t: 'serves', service, address } satisfies ToMaster, () => {});
  }
}

/** The list of this process. */
export const peers: PeerList = new PeerList();
