import type { DrainSpec, RolloutSpec } from '../api/types.ts';

/** Numbers that follow from a spec. Pure. */

/** Kept free between the end of a drain and the kill. Seconds. */
export const LAST_SECONDS = 15;

/** What the kubelet gives a pod from SIGTERM to SIGKILL. Seconds. */
export function graceSeconds({ propagationSeconds, windowSeconds }: DrainSpec): number {
  return propagationSeconds + windowSeconds + LAST_SECONDS;
}

/** Pods beyond and below `replicas` while pods are replaced; shares are rounded so that one of them is not 0. */
export function budget(
  { maxSurge, maxUnavailable }: RolloutSpec,
  replicas: number,
): { surge: number; unavailable: number } {
  const surge = amount(maxSurge, replicas, Math.ceil);
  const unavailable = amount(maxUnavailable, replicas, Math.floor);
  return surge === 0 && unavailable === 0 ? { surge, unavailable: 1 } : { surge, unavailable };
}

function amount(value: number | string, replicas: number, round: (n: number) => number): number {
  if (typeof value === 'number') return value;
  return round((Number.parseInt(value, 10) / 100) * replicas);
}

/** Margin for pulling an image, scheduling and starting. Seconds. */
const START_SECONDS = 300;

/** Seconds without progress after which a rollout is stalled. */
export function deadlineSeconds(rollout: RolloutSpec, drain: DrainSpec): number {
  return (
    rollout.progressDeadlineSeconds || graceSeconds(drain) + rollout.minReadySeconds + START_SECONDS
  );
}
