/** Addresses of the spec, which its schema has checked. Pure. */

/** The port of `scheme://host:port`. */
export function portOf(listen: string): number {
  return Number(listen.slice(listen.lastIndexOf(':') + 1));
}

/** What Kubernetes calls what carries it. */
export function transportOf(listen: string): 'TCP' | 'UDP' {
  return listen.startsWith('udp:') ? 'UDP' : 'TCP';
}
