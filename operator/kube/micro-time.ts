/** Now, as Kubernetes wants times of Leases and Events: with six digits behind the second. */
export function microTime(): string {
  return new Date().toISOString().replace('Z', '000Z');
}
