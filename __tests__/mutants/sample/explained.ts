/** Mutants of the sample that no test can kill, or that no test needs to kill, with the reason. */
export interface Explained {
  readonly file: string;
  /** The whole line, without the space around it. */
  readonly line: string;
  /** As it is printed: `=== becomes !==`. */
  readonly what: string;
  readonly because: string;
}

export const explained: readonly Explained[] = [
  {
    file: 'helper/doctor/kms-keys.ts',
    line: 'return undefined;',
    what: 'nothing is returned',
    because: 'the same: without a value, return gives undefined',
  },
  {
    file: 'helper/doctor/url-route.ts',
    line: "if (given.length > 0) return { routes: given, why: 'the command line names it' };",
    what: 'empty text',
    because: 'the text is only shown where there is no route',
  },
  {
    file: 'helper/proxy/pushed-key.ts',
    line: 'const patience = { asking: 1_000, making: 3_000, pushing: 10_000, coming: 30_000 } as const;',
    what: 'one more',
    because: 'a limit of time that is at most a thousandth longer',
  },
  {
    file: 'helper/rotate/prove.ts',
    line: 'const deadline = { milliseconds: patience * 1000, reason, signal };',
    what: 'one more',
    because: 'a limit of time that is a thousandth longer',
  },
  {
    file: 'src/action/head-start.ts',
    line: 'const isLater = role.skipsOidc === true || inputs.useExisting || inputs.allowedAccounts.length > 0;',
    what: 'true becomes false',
    because: 'a role that skips OIDC has no audience, and without one the function has returned before',
  },
  {
    file: 'src/host/user-agent.ts',
    line: 'for (let waited = 0; waited < 2000 && (await isKeeper()); waited += 20) await sleep(20);',
    what: 'one more',
    because: 'a millisecond more between two looks at the processes, or in the two seconds for all of them',
  },
  {
    file: 'src/http-api.ts',
    line: 'return undefined;',
    what: 'nothing is returned',
    because: 'the same: without a value, return gives undefined',
  },
  {
    file: 'src/kms/front/control.ts',
    line: 'const mostBytes = longestMessage - 8192;',
    what: 'one more',
    because: 'a page of the log that is a byte shorter: readers ask for the next page',
  },
  {
    file: 'src/process/process-table.ts',
    line: "const { stdout } = await promisify(execFile)('ps', ['-axww', '-o', 'pid=,uid=,ruid=,args='], {",
    what: 'empty text',
    because: 'only macOS has no /proc and asks ps, and its tests are run there',
  },
  {
    file: 'helper/doctor/managed.ts',
    line: "const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);",
    what: 'one more',
    because: 'a text has a first part, and 2 and 2.3 are older than 2.3.672 with 1 instead of 0, too',
  },
  {
    file: 'helper/doctor/checks.ts',
    line: 'const [usual, long] = [20, 40];',
    what: 'one more',
    because: 'a limit of time that is a second longer; the message says the limit that holds',
  },
  {
    file: 'helper/doctor/hosts.ts',
    line: "const at = text.lastIndexOf('@', parseHostName(text) ? -1 : text.length);",
    what: 'one more',
    because: 'the same: lastIndexOf takes every number below 0 for 0',
  },
  {
    file: 'helper/choose/question.ts',
    line: '}, 1000);',
    what: 'one more',
    because: 'a message that comes a millisecond later, after a second',
  },
  {
    file: 'src/kms/key-rotation.ts',
    line: 'const turn = (makingPatience + 5) * 1000;',
    what: 'one more',
    because: 'a limit of time that is at most a second longer, of fifteen',
  },
  {
    file: 'src/kms/make-key.ts',
    line: 'signal.throwIfAborted();',
    what: 'the statement is gone',
    because: 'the calls before it end by the same signal, and nothing waits between the last answer and this',
  },
  {
    file: 'src/http-api.ts',
    line: "return [status ?? 0, words.replace(/[^\\x20-\\x7e]+/g, ' ').slice(0, 300)].filter(Boolean).join(' ');",
    what: 'one more',
    because: 'callHttpApi returns no answer without a status, and a log may show one character more',
  },
  {
    file: 'helper/doctor/key-remedy.ts',
    line: "if (reference.kind !== 'parameter') return undefined;",
    what: 'nothing is returned',
    because: 'the same: without a value, return gives undefined',
  },
  {
    file: 'helper/choose/serve-key.ts',
    line: "const signal = timeLimit(Math.min(timeoutSeconds + 5, longestTimer), 'starting the agent');",
    what: 'one more',
    because: 'a limit of time that is a second longer, behind the shorter one of the agent itself',
  },
  {
    file: 'src/kms/key-rotation.ts',
    line: 'const [patience, pause] = [20_000, 500];',
    what: 'one more',
    because: 'a limit of time, or a wait between two looks, that is a millisecond longer',
  },
  {
    file: 'helper/doctor/key-remedy.ts',
    line: "if (wanted.kind === 'credential') return undefined;",
    what: 'nothing is returned',
    because: 'the same: without a value, return gives undefined',
  },
  {
    file: 'src/action/kept-tokens.ts',
    line: 'const patience = 15_000;',
    what: 'one more',
    because: 'a limit of time that is a millisecond longer, after fifteen seconds',
  },
  {
    file: 'src/git/credential-cache.ts',
    line: 'if (signal.aborted) return Buffer.alloc(0);',
    what: 'one more',
    because: 'nothing and a single zero byte are both an answer without a password',
  },
];

export const explanationOf = (
  file: string,
  { line, what }: Pick<Explained, 'line' | 'what'>,
): string | undefined =>
  explained.find((one) => one.file === file && one.line === line.trim() && one.what === what)?.because;
