/** Names of EC2 hosts: an instance's id, a managed node's id, or a tag. Pure. helper/ssm-ssh has the same rule in shell. */

export type InstanceName =
  | { readonly kind: 'instance'; readonly id: string }
  /** Key and value are case-sensitive. The first `=` separates them. */
  | { readonly kind: 'tag'; readonly key: string; readonly value: string };

/** `managed`: a machine outside of EC2 that Systems Manager knows (an SSM hybrid activation). */
export type HostName = InstanceName | { readonly kind: 'managed'; readonly id: string };

/**
 * @param text the host as typed (ssh's `%n`): `%h` is in lower case, but tags are case-sensitive
 * @returns undefined for any other host name
 * @source EC2 User Guide, "Resource IDs"; Systems Manager, "managed node IDs"
 */
export function parseHostName(text: string): HostName | undefined {
  const equals = text.indexOf('=');
  if (equals >= 0) return { kind: 'tag', key: text.slice(0, equals), value: text.slice(equals + 1) };
  const id = text.toLowerCase();
  if (/^i-(?:[0-9a-f]{8}|[0-9a-f]{17})$/.test(id)) return { kind: 'instance', id };
  return /^mi-[0-9a-f]{17}$/.test(id) ? { kind: 'managed', id } : undefined;
}
