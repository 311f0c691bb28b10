import type { PodReport } from '../api/pod-status.ts';

/** What a pod said last still counts for so long when it says nothing: it is busy rather than empty. */
const KEPT_MS = 60_000;

type Kept = { readonly report: PodReport; readonly at: number };

/** The last word of each pod. */
export class Reports {
  readonly #kept = new Map<string, Kept>();

  keep(uid: string, report: PodReport): PodReport {
    this.#kept.set(uid, { report, at: performance.now() });
    return report;
  }

  /** As `{ report }`, or nothing if there is none or it is too old. */
  last(uid: string): { report?: PodReport } {
    const kept = this.#kept.get(uid);
    return kept && performance.now() - kept.at < KEPT_MS ? { report: kept.report } : {};
  }

  /** The pod is gone. */
  forget(uid: string): void {
    this.#kept.delete(uid);
  }
}
