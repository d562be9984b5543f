/**
 * What ssm-ssh asks Node: compiles the settings, from which helper/ssm-ssh picks a key, and loads the keys of this connection
 * into the agent.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, rm, rmdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { Failure, toFailure } from '../../src/errors.ts';
import { listSettings } from '../../src/git/config-file.ts';
import type { Listing } from '../../src/git/listing.ts';
import {
  askedSettings,
  compile,
  mayBeWritten,
  pick,
  placesOf,
  textOf,
  type Compiled,
  type HostKey,
} from '../../src/host/compile.ts';
import { withAbsolutePaths } from '../../src/host/front-env.ts';
import { keepCompiled, writeWhole } from '../../src/host/kept-files.ts';
import { renderAnswer, renderKept } from '../../src/host/shell-answer.ts';
import { findStateFolder, userOf } from '../../src/host/state-folder.ts';
import { fetchKey } from '../choose/fetch-key.ts';
import { keepPinned } from '../choose/kept-parts.ts';
import type { Question, Terminal } from '../choose/question.ts';
import { markedName } from '../error-mark.ts';
import { OutputClosed } from '../write-text.ts';

const program = 'ssm-ssh';

/** @returns the exit code */
export async function choose(question: Question, io: Terminal): Promise<number> {
  const { place, key: only, repository, region } = question;
  const { env, tell, out } = io;
  try {
    // It loads while git answers.
    if (only || question.host) void import('../../src/host/read-keys.ts');
    const [listing, state, awsFiles] = await Promise.all([
      listSettings(askedSettings, { env }).catch(noneWithoutGit),
      question.state || findStateFolder(userOf(env)),
      awsFilesOf(env),
    ]);
    const connection = { byGit: repository !== '', jobRegion: region, awsFiles };
    // A relative path is another file in each folder. The shell finds only what was compiled for absolute ones.
    const placed = withAbsolutePaths(env, ownFolder);
    const compiled = compile(listing, placed, connection);
    const wanted = only
      ? compiled.keys.filter((key) => placesOf(key, state).folder === only)
      : pickKeys(compiled, question, env);
    let isFetched = false;
    const asked = { state, question, knownHosts: compiled.knownHosts };
    for (const key of wanted) isFetched = (await fetchKey(key, asked, io)) || isFetched;
    // A login may have failed by host keys of another version.
    if (question.failed !== '') isFetched = (await keepPinned(state).catch(() => false)) || isFetched;
    const answer = renderAnswer(compiled, state);
    const text = textOf(listing, placed, connection);
    const proven = wanted.some(({ pattern }) => !pattern);
    if (text !== undefined && !only && (proven || mayBeWritten(env)))
      // If it cannot be kept, the next process compiles it again.
      await keepCompiled(renderKept(text, answer), state).catch(() => undefined);
    // Before the answer: the process that asked may be gone, and others wait for the outcome.
    await writeOutcome(place, `ok ${randomUUID()} ${isFetched ? 'fetched' : 'there'}\n`);
    await leave(place, state);
    out(`${answer}_ssm_set_fetched=${isFetched ? 'yes' : ''}\n_ssm_set_found=1\n`);
    return 0;
  } catch (error) {
    if (error instanceof OutputClosed) throw error;
    const failure = toFailure(error);
    tell(`${failure.render(markedName(program, env))}\n`);
    await writeOutcome(place, `failed ${randomUUID()}\n${failure.render(program)}\n`);
    return 255;
  }
}

/** One without files, if it was removed. */
function ownFolder(): string {
  try {
    return process.cwd();
  } catch {
    return '/dev/null';
  }
}

/** Those in the home folder that exist. helper/ssm-ssh-host.sh looks for the same. */
async function awsFilesOf(env: Terminal['env']): Promise<string[]> {
  const paths = ['config', 'credentials'].map((name) => `${env['HOME'] || homedir()}/.aws/${name}`);
  const there = await Promise.all(paths.map((path) => stat(path).then(Boolean, () => false)));
  return paths.filter((_, index) => there[index]);
}

/** If it cannot be written, for example on a full disk, those who wait start Node themselves. */
async function writeOutcome(place: string, text: string): Promise<void> {
  if (!place) return;
  await mkdir(place, { recursive: true, mode: 0o700 })
    .then(() => writeWhole(join(place, 'outcome'), text))
    .catch(() => undefined);
}

/** Removes what waiting processes made elsewhere, before the folder of the agent was known. */
async function leave(place: string, state: string): Promise<void> {
  const folder = dirname(dirname(place));
  if (!place || folder === state) return;
  await rm(place, { recursive: true, force: true }).catch(() => undefined);
  await rmdir(dirname(place)).catch(() => undefined);
  await rm(join(folder, 'node-path'), { force: true }).catch(() => undefined);
  await rmdir(folder).catch(() => undefined);
}

function noneWithoutGit(error: unknown): Listing {
  if (error instanceof Failure && error.code === 'GIT_NOT_FOUND') return { entries: [], scoped: true };
  throw error;
}

/** The keys that the connection certainly needs. */
function pickKeys(compiled: Compiled, question: Question, env: Terminal['env']): HostKey[] {
  const { host, port, repository } = question;
  const remote = { host, port: Number(port), path: repository };
  // The repository's own ssh command may name a key of its own: the shell checks that later.
  const theirs = [compiled.command, env['GIT_SSH'] ?? ''].some(
    (text) => repository !== '' && text !== '' && !text.includes('ssm-ssh'),
  );
  const isWanted = ({ pattern }: HostKey): boolean =>
    pattern !== undefined || (question.default !== '' && !theirs);
  return pick({ keys: compiled.keys.filter(isWanted) }, remote);
}
