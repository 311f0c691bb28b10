/**
 * A patch on top of an object, as Kubernetes' strategic merge does it for pods: objects are merged, lists of things with
 * a name are merged by name, mounts by their place, lists without names are joined, everything else is replaced. Pure.
 */
export function merged<T>(own: T, patch: unknown): T {
  if (patch === undefined) return own;
  if (Array.isArray(own) && Array.isArray(patch)) return lists(own, patch) as T;
  if (!isRecord(own) || !isRecord(patch)) return patch as T;
  const result: Record<string, unknown> = { ...own };
  for (const [key, value] of Object.entries(patch)) {
    result[key] = REPLACED.has(key) ? value : merged(result[key], value);
  }
  return result as T;
}

/** Whoever says how pods are spread means it instead of our default. */
const REPLACED = new Set(['topologySpreadConstraints']);

function lists(own: readonly unknown[], patch: readonly unknown[]): unknown[] {
  // A volume may be mounted at several places, so that its name is not the mount's.
  const nameOf = (each: unknown) =>
    isRecord(each) ? (each['mountPath'] ?? each['devicePath'] ?? each['name']) : undefined;
  const result = [...own];
  for (const each of patch) {
    const at = result.findIndex(
      (other) => nameOf(each) !== undefined && nameOf(other) === nameOf(each),
    );
    if (at === -1) result.push(each);
    else result[at] = merged(result[at], each);
  }
  return result;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
