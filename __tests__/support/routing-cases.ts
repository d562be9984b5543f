/** One table for both matchers, src/keys/routes.ts and helper/ssm-ssh: they must be equal. */

export interface RoutingCase {
  /** The repositories of each key; the keys are numbered from 0. */
  readonly keys: readonly string[];
  /** ssh's arguments, as git and people write them. */
  readonly ssh: readonly string[];
  /** The same destination for the other matcher. */
  readonly remote: { readonly host: string; readonly port?: number; readonly path: string };
  /** The offered keys. */
  readonly offered: readonly number[];
}

const pack = (path: string): string => `git-upload-pack '${path}'`;

/** git@HOST[:PORT], PATH → ssh's arguments and the remote. */
function at(host: string, path: string, port?: number): Pick<RoutingCase, 'ssh' | 'remote'> {
  const ssh = [
    ...(port === undefined ? [] : ['-p', String(port)]),
    `git@${host}`,
    ...(path ? [pack(path)] : []),
  ];
  return { ssh, remote: { host, path, ...(port !== undefined && { port }) } };
}

const lib = at('github.com', 'acme/lib.git');

export const routingCases: Readonly<Record<string, RoutingCase>> = {
  'a repository by its name': { keys: ['github.com/acme/lib'], ...lib, offered: [0] },
  'a repository without .git': {
    keys: ['github.com/acme/lib'],
    ...at('github.com', 'acme/lib'),
    offered: [0],
  },
  'a path with its slash in front': {
    keys: ['github.com/acme/lib'],
    ...at('github.com', '/acme/lib.git'),
    offered: [0],
  },
  'a path with slashes behind': {
    keys: ['github.com/acme/lib'],
    ...at('github.com', '/acme/lib/'),
    offered: [0],
  },
  'upper case in the remote': {
    keys: ['github.com/acme/lib'],
    ...at('GitHub.com', 'Acme/Lib.git'),
    offered: [0],
  },
  'upper case behind the name': {
    keys: ['github.com/acme/lib'],
    ...at('github.com', 'acme/LIB.GIT'),
    offered: [0],
  },
  'upper case that is not ASCII, as it is': {
    keys: ['git.example.com/Ärger/Lib'],
    ...at('git.example.com', 'Ärger/lib'),
    offered: [0],
  },
  'another case that is not ASCII': {
    keys: ['git.example.com/ärger/lib'],
    ...at('git.example.com', 'Ärger/lib'),
    offered: [],
  },
  'upper case in the pattern': { keys: ['GitHub.com/Acme/LIB'], ...lib, offered: [0] },
  'a pasted URL': { keys: ['git@github.com:acme/lib.git'], ...lib, offered: [0] },
  'a longer name is another one': {
    keys: ['github.com/acme/lib'],
    ...at('github.com', 'acme/lib-extra'),
    offered: [],
  },
  'a shorter name is another one': { keys: ['github.com/acme/lib-extra'], ...lib, offered: [] },
  'a deeper path is inside': {
    keys: ['gitlab.com/acme'],
    ...at('gitlab.com', 'acme/group/lib'),
    offered: [0],
  },
  'an owner': { keys: ['github.com/acme'], ...lib, offered: [0] },
  'an owner with a star': { keys: ['github.com/acme/*'], ...lib, offered: [0] },
  'another owner': { keys: ['github.com/acme'], ...at('github.com', 'acme2/lib'), offered: [] },
  'a host': { keys: ['github.com'], ...lib, offered: [0] },
  'another host': { keys: ['github.com'], ...at('gitlab.com', 'acme/lib'), offered: [] },
  'a host that ends alike': { keys: ['github.com'], ...at('notgithub.com', 'acme/lib'), offered: [] },
  'a host by a wildcard': { keys: ['*.example.com'], ...at('git.example.com', 'a/b'), offered: [0] },
  'a wildcard is one label': { keys: ['*.example.com'], ...at('a.git.example.com', 'a/b'), offered: [] },
  'a wildcard is at least one label': { keys: ['*.example.com'], ...at('example.com', 'a/b'), offered: [] },
  ...Object.fromEntries(
    ['evil/', 'evil?', 'evil#', 'evil:', 'evil-'].map((label) => [
      `a wildcard is a name, not "${label}"`,
      { keys: ['*.example.com'], ...at(`${label}.example.com`, 'a/b'), offered: [] },
    ]),
  ),
  'an exact host before a wildcard': {
    keys: ['*.example.com/platform/core', 'git.example.com'],
    ...at('git.example.com', 'platform/core'),
    offered: [1],
  },
  'the longest path': {
    keys: ['github.com/acme', 'github.com/acme/lib', 'github.com'],
    ...lib,
    offered: [1],
  },
  'the longest path, written last': { keys: ['github.com', 'github.com/acme'], ...lib, offered: [1] },
  'two keys with the same pattern': {
    keys: ['github.com/acme', 'github.com/acme/*'],
    ...lib,
    offered: [0, 1],
  },
  'two patterns of one key': { keys: ['github.com/acme/lib gitlab.com/acme/lib'], ...lib, offered: [0] },
  'a port': { keys: ['git.example.com:2222/a'], ...at('git.example.com', 'a/b', 2222), offered: [0] },
  'another port': { keys: ['git.example.com:2222/a'], ...at('git.example.com', 'a/b', 2223), offered: [] },
  'no port is 22': { keys: ['git.example.com/a'], ...at('git.example.com', 'a/b', 2222), offered: [] },
  '22 is no port': { keys: ['git.example.com:22/a'], ...at('git.example.com', 'a/b'), offered: [0] },
  'an IPv6 address': {
    keys: ['[2001:db8::1]:2222/a'],
    ssh: ['-p', '2222', 'git@2001:db8::1', pack('a/b')],
    remote: { host: '2001:db8::1', port: 2222, path: 'a/b' },
    offered: [0],
  },
  'the default key': { keys: ['', 'github.com/acme/other'], ...lib, offered: [0] },
  'several default keys, in order': { keys: ['', 'gitlab.com', ''], ...lib, offered: [0, 2] },
  'no default key where one is for it': { keys: ['', 'github.com/acme/lib'], ...lib, offered: [1] },
  none: { keys: ['gitlab.com'], ...lib, offered: [] },
  'a connection without a repository': {
    keys: ['github.com/acme/lib', 'github.com'],
    ...at('github.com', ''),
    offered: [1],
  },
  'a connection without a repository, to the default key': {
    keys: ['github.com/acme/lib', ''],
    ...at('github.com', ''),
    offered: [1],
  },
  'no EC2 host by a default key': { keys: [''], ...at('i-0123456789abcdef0', ''), offered: [] },
  'no managed node by a default key': { keys: [''], ...at('mi-0123456789abcdef0', ''), offered: [] },
  'no host by its tag by a default key': { keys: [''], ...at('Name=web-1', ''), offered: [] },
  'what only looks like an EC2 host': { keys: [''], ...at('i-0123456789', ''), offered: [0] },
  'an EC2 host that a key names': {
    keys: ['i-0123456789abcdef0', ''],
    ...at('i-0123456789abcdef0', ''),
    offered: [0],
  },
  'a home folder': { keys: ['git.example.com/~me/lib'], ...at('git.example.com', '~me/lib'), offered: [0] },
  'a dot in a name is a dot': { keys: ['github.com/acme/l.b'], ...lib, offered: [] },
  'a pasted URL with a space in it': {
    keys: ['ssh://git@git.example.com/v3/Acme/My%20Project/lib.git'],
    ...at('git.example.com', 'v3/acme/My Project/lib'),
    offered: [0],
  },
  'a pasted URL with a letter that is no ASCII, and one that is': {
    keys: ['https://git.example.com/%C3%A4rger/%4cib'],
    ...at('git.example.com', 'ärger/Lib.git'),
    offered: [0],
  },
  'a pasted URL with a line end in it': {
    keys: ['ssh://git@git.example.com/acme%0alib'],
    ...at('git.example.com', 'acme%0alib'),
    offered: [0],
  },
  'a percent sign where there is no scheme': {
    keys: ['git.example.com/acme%20lib'],
    ...at('git.example.com', 'acme%20lib'),
    offered: [0],
  },
  'a name like a pattern of the shell': { keys: ['github.com/acme/l[i]b'], ...lib, offered: [] },
};

/** Forms of ssh's arguments, which only the shell reads. Key 0 is for github.com/acme/lib, key 1 for port 2222. */
export const sshForms: Readonly<Record<string, readonly [ssh: readonly string[], offered: number]>> = {
  'git with protocol version 2': [['-o', 'SendEnv=GIT_PROTOCOL', 'git@github.com', pack('acme/lib.git')], 0],
  'git over IPv4': [['-4', 'git@github.com', pack('/acme/lib.git')], 0],
  'a push': [['git@github.com', "git-receive-pack 'acme/lib.git'"], 0],
  'an archive': [['git@github.com', "git-upload-archive 'acme/lib.git'"], 0],
  'the program by its path': [['git@github.com', "/usr/libexec/git-upload-pack 'acme/lib.git'"], 0],
  'git and its subcommand': [['git@github.com', "git upload-pack 'acme/lib.git'"], 0],
  LFS: [['git@github.com', 'git-lfs-authenticate acme/lib.git download'], 0],
  'LFS, quoted': [['git@github.com', "git-lfs-authenticate 'acme/lib.git' upload"], 0],
  'LFS over ssh': [['git@github.com', 'git-lfs-transfer acme/lib.git download'], 0],
  'LFS over ssh, by the connection that git-lfs shares': [
    [
      ...['-oControlMaster=auto', '-oControlPath=/tmp/sock-1/sock-%C', 'git@github.com'],
      'git-lfs-transfer acme/lib.git download',
    ],
    0,
  ],
  'LFS over ssh, by the connection that a newer git-lfs shares': [
    [
      '-oControlMaster=no',
      '-oControlPath=/tmp/s',
      '--',
      'git@github.com',
      "git-lfs-transfer 'acme/lib.git' upload",
    ],
    0,
  ],
  'a URL': [['ssh://git@github.com', pack('acme/lib.git')], 0],
  'a URL with a port': [['ssh://git@github.com:2222', pack('acme/lib.git')], 1],
  'a port of its own word': [['-p', '2222', 'git@github.com', pack('acme/lib.git')], 1],
  'a port with a zero in front': [['-p', '02222', 'git@github.com', pack('acme/lib.git')], 1],
  'a port by its name': [['-p', 'ssh', 'git@github.com', pack('acme/lib.git')], 0],
  'a port in the same word': [['-p2222', 'git@github.com', pack('acme/lib.git')], 1],
  'a port behind flags': [['-4Cp', '2222', 'git@github.com', pack('acme/lib.git')], 1],
  'a port behind flags, in the same word': [['-vp2222', 'git@github.com', pack('acme/lib.git')], 1],
  'a port by -o': [['-o', 'Port=2222', 'git@github.com', pack('acme/lib.git')], 1],
  'a port by -o with a space': [['-oport 2222', 'git@github.com', pack('acme/lib.git')], 1],
  'a port by -o with a tab': [['-o', 'Port\t2222', 'git@github.com', pack('acme/lib.git')], 1],
  'a port by -o in one word': [['-oPort=2222', 'git@github.com', pack('acme/lib.git')], 1],
  'a port by -o with white space in front': [
    ['-o', ' \tPort=2222', 'git@github.com', pack('acme/lib.git')],
    1,
  ],
  'a port by -o with white space all around': [
    ['-o', ' port = 2222 ', 'git@github.com', pack('acme/lib.git')],
    1,
  ],
  'a port by -o in quotes': [['-o', 'Port "2222"', 'git@github.com', pack('acme/lib.git')], 1],
  'a port by -o, the keyword in quotes': [['-o', '"Port" 2222', 'git@github.com', pack('acme/lib.git')], 1],
  'the first port of two by -o': [['-oPort=2222', '-o', 'Port\t22', 'github.com', pack('acme/lib.git')], 1],
  'the first port of two': [['-p', '2222', '-p', '22', 'git@github.com', pack('acme/lib.git')], 1],
  'options behind the host': [['git@github.com', '-p', '2222', pack('acme/lib.git')], 1],
  'a user by -l': [['-l', 'git', 'github.com', pack('acme/lib.git')], 0],
  'an argument that looks like a host': [['-b', '127.0.0.1', 'git@github.com', pack('acme/lib.git')], 0],
  'the end of the options': [['--', 'git@github.com', pack('acme/lib.git')], 0],
  'the command in several words': [['git@github.com', 'git-upload-pack', "'acme/lib.git'"], 0],
};

/** Options with which the user chooses a key or connection: nothing is added for these. */
export const userChoices: readonly (readonly string[])[] = [
  ['-i', '/a/key'],
  ['-vi/a/key'],
  ['-oIdentityFile=/a/key'],
  ['-o', 'identityfile /a/key'],
  ['-o', 'IdentityFile\t/a/key'],
  ['-o', ' IdentityFile = "/a/key"'],
  ['-o', '"IdentityFile" /a/key'],
  ['-o', 'IdentityAgent=/an/agent'],
  ['-oidentityagent none'],
  ['-F', '/dev/null'],
  ['-M'],
  ['-S', 'none'],
  ['-o', 'ControlPath=/a/b'],
  ['-o', '\tcontrolmaster auto'],
  ['-o', 'ControlPersist\t60s'],
];
