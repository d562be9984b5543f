/** One table for both implementations of EC2 host names, src/ec2/host-name.ts and helper/ssm-ssh: they must be equal. */

/** The name → its kind; undefined: another host. */
export const hostNames: Readonly<Record<string, 'instance' | 'managed' | 'tag' | undefined>> = {
  'i-0123456789abcdef0': 'instance',
  'i-01234567': 'instance',
  'mi-0123456789abcdef0': 'managed',
  'Name=web-1': 'tag',
  'aws:autoscaling:groupName=web': 'tag',
  'role=': 'tag',
  '=web': 'tag',
  'a=b=c': 'tag',
  'i-0=web': 'tag',
  'mi-01234567': undefined,
  'i-0123456': undefined,
  'i-012345678': undefined,
  'i-0123456789abcdef': undefined,
  'i-0123456789abcdef01': undefined,
  'i-0123456789abcdefg': undefined,
  'i-0123456g': undefined,
  'i-': undefined,
  i: undefined,
  'ip-10-0-0-1': undefined,
  'i-01234567.example.com': undefined,
  'xi-01234567': undefined,
  'github.com': undefined,
  '10.0.0.1': undefined,
};

/** User names with a meaning for a shell. */
export const attacks: readonly string[] = [
  '$(touch${IFS}touched)',
  '`touch${IFS}touched`',
  'x;touch${IFS}touched',
  'x|touch${IFS}touched;',
  'x&touch${IFS}touched;',
  'x>touched',
  '--role-arn=x',
  '-x',
  "x'$(touch${IFS}touched)'",
  "';touch${IFS}touched;'",
];

/** Names of other hosts with the length and the beginning of an id. */
export const lookalikes: readonly string[] = [
  'i-server01',
  'i-SERVER01',
  'i-build-01',
  'i-0123.com',
  'i-web_0001',
  'mi-0123456',
  'i-01234567.internal',
  'i-server-in-rack-02',
  'i-0123456789abcdefi',
  'mi-0123456789abcdefm',
  'mi-laptop-of-jane-01',
  'mi-01234567',
];
