/** The local troubles: what is wrong with a program, a disk, or the process itself. */

export interface LocalTrouble {
  readonly name: string;
  /** A script of bash that makes the trouble, run by root; `$FOLDER` is the row's folder. */
  readonly make?: string;
  /** Lines of bash in front of `"$@"`, which is the program in trouble. Default: `"$@"`. */
  readonly around?: string;
  /** A script of bash that ends the trouble. */
  readonly end?: string;
  /** The row runs as a user without root's rights. */
  readonly byUser?: boolean;
  /** Nobody can read what it says. */
  readonly isMute?: boolean;
}

const script = (text: string): string => `printf '%b' '#!/bin/sh\\n${text}\\n' >"$bin"; chmod 755 "$bin"`;

/** What is on PATH instead of a program. `absent`: the program is not there in different ways. */
const kinds = {
  missing: 'true',
  'not executable': 'echo "#!/bin/sh" >"$bin"; chmod 644 "$bin"',
  'a folder': 'mkdir "$bin"',
  // With a busy loop of short sleeps, it can be told by its arguments, and nothing outlives it for long.
  hanging: script('while :; do sleep 0.5; done'),
  'killed by SIGKILL': script('kill -KILL $$'),
  'killed by SIGSEGV': script('ulimit -c 0; kill -SEGV $$'),
  'printing garbage': script('printf "\\\\\\\\377\\\\\\\\376 garbage\\\\\\\\n"'),
  'ending with 127': script('exit 127'),
  // An ELF header for RISC-V.
  'of another architecture': `printf '\\177ELF\\2\\1\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0\\2\\0\\363\\0\\1\\0\\0\\0' >"$bin"; chmod 755 "$bin"`,
} as const;

export type ProgramKind = keyof typeof kinds;
export const programKinds = Object.keys(kinds) as ProgramKind[];
export const absent: readonly ProgramKind[] = ['missing', 'not executable', 'a folder'];
export const broken: readonly ProgramKind[] = programKinds.filter(
  (kind) => kind !== 'hanging' && !absent.includes(kind),
);

const isPassedOver = (kind: ProgramKind): boolean =>
  absent.includes(kind) || kind === 'of another architecture';

export const program = (name: string, kind: ProgramKind): LocalTrouble => ({
  name: `${name} ${kind}`,
  // A shell goes on to the next folder of PATH if it cannot execute what it finds.
  make: `mkdir -p "$FOLDER/bin" "$FOLDER/others"; bin=$FOLDER/bin/${name}
    ${isPassedOver(kind) ? allBut(name) : ''}
    ${kinds[kind]}`,
  around: `PATH=$FOLDER/bin:${isPassedOver(kind) ? '$FOLDER/others' : '$PATH'}; "$@"`,
  end: 'rm -rf "$FOLDER/bin" "$FOLDER/others"',
});

const allBut = (name: string): string =>
  `IFS=:; for place in $PATH; do ln -s "$place"/* "$FOLDER/others/" 2>/dev/null; done; unset IFS
    rm -f "$FOLDER/others/${name}"`;

/** Of a folder that is a tmpfs. The text of a path may have variables. */
export interface Disk {
  readonly name: string;
  readonly path: string;
}

const roomy = 'size=8m,nr_inodes=4000';
export const mountOf = (path: string): string => `mount -t tmpfs -o ${roomy} none "${path}"`;

const onAll = (disks: readonly Disk[], command: (path: string) => string): string =>
  disks.map(({ path }) => command(path)).join('\n');
const namesOf = (disks: readonly Disk[]): string => disks.map(({ name }) => name).join(' and ');
const freed = (path: string): string => `rm -f "${path}/.filler"; mount -o remount,rw,${roomy} "${path}"`;

/** @param left kilobytes that can still be written */
export const full = (left: number, ...disks: readonly Disk[]): LocalTrouble => ({
  name: `${namesOf(disks)} full${left === 0 ? '' : ` but for ${left} kB`}`,
  make: onAll(
    disks,
    (path) =>
      `cat /dev/zero 2>/dev/null >"${path}/.filler"; truncate -s -${left}k "${path}/.filler" 2>/dev/null`,
  ),
  end: onAll(disks, freed),
});

/** @param left files that can still be made */
export const noInodes = (left: number, ...disks: readonly Disk[]): LocalTrouble => ({
  name: `${namesOf(disks)} with ${left === 0 ? 'no inodes' : `${left} inodes`}`,
  make: onAll(
    disks,
    (path) =>
      `mount -o remount,nr_inodes=$(($(df --output=iused "${path}" | tail -n 1) + ${left})) "${path}"`,
  ),
  end: onAll(disks, freed),
});

export const readOnly = (...disks: readonly Disk[]): LocalTrouble => ({
  name: `${namesOf(disks)} read-only`,
  make: onAll(disks, (path) => `mount -o remount,ro "${path}"`),
  end: onAll(disks, freed),
});

export const forbidden = (...disks: readonly Disk[]): LocalTrouble => ({
  name: `${namesOf(disks)} without permission`,
  make: onAll(disks, (path) => `chown 0:0 "${path}"; chmod 755 "${path}"`),
  end: onAll(disks, (path) => `chown ${user}:${user} "${path}"; chmod 700 "${path}"`),
  byUser: true,
});

/** Nobody, on Linux. */
export const user = 65_534;

export const openFiles = (limit: number): LocalTrouble => ({
  name: `at most ${limit} open files`,
  around: `ulimit -n ${limit}; "$@"`,
});

/** A program that ignores the signal gets EFBIG. */
export const fileSize: LocalTrouble = {
  name: 'at most 0 bytes in a file',
  around: `trap '' XFSZ; ulimit -f 0; "$@"`,
};

export const closed: readonly LocalTrouble[] = [
  { name: 'closed standard input', around: '"$@" <&-' },
  { name: 'closed standard output', around: '"$@" >&-', isMute: true },
  { name: 'closed standard error', around: '"$@" 2>&-', isMute: true },
  { name: 'all three descriptors closed', around: '"$@" <&- >&- 2>&-', isMute: true },
];
export const fullOutput: LocalTrouble = { name: 'standard output to a full disk', around: '"$@" >/dev/full' };
export const fullErrors: LocalTrouble = {
  name: 'standard error to a full disk',
  around: '"$@" 2>/dev/full',
  isMute: true,
};
