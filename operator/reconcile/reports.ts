import type { PodReport } from '../api/pod-status.ts';

/** What a pod said last still counts for so long when it says nothing: it is busy rather than empty. */
const KEPT_MS = 60_000;

type Kept = { readonly report: PodReport; readonly at: number };

/** The last word of each pod. */
export class Reports {
  readonly #kept = new Map<string, Kept>();
  /** These count until the pod is gone. */
  readonly #gateways = new Map<string, readonly string[]>();
  /** Told of each pod, by its uid, that has other gateways than it had. */
  onGateways: ((uid: string) => void) | undefined = undefined;

  keep(uid: string, report: PodReport): PodReport {
    this.#kept.set(uid, { report, at: performance.now() });
    const { gateways = [] } = report;
    const before = this.#gateways.get(uid);
    this.#gateways.set(uid, gateways);
    if (!before || before.join() !== gateways.join()) this.onGateways?.(uid);
    return report;
  }

  /** As `{ report }`, or nothing if there is none or it is too old. */
  last(uid: string): { report?: PodReport } {
    const kept = this.#kept.get(uid);
    return kept && performance.now() - kept.at < KEPT_MS ? { report: kept.report } : {};
  }

  /** Inner addresses of its gateways as it said them last, however long ago; `undefined` if it was never heard. */
  gatewaysOf(uid: string): readonly string[] | undefined {
    return this.#gateways.get(uid);
  }

  /** The pod is gone. */
  forget(uid: string): void {
    this.#gateways.delete(uid);
    this.#kept.delete(uid);
  }
}
