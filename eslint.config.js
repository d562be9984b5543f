/** The rules of the house. The import walls are the table of docs/architecture.md. */
import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const typed = tseslint.configs.strictTypeChecked;

/** `files` may not import what matches `group`. For the same file a later wall replaces an earlier one. */
const wall = ({ files, ignores = [], group, message }) => ({
  files,
  ignores,
  rules: { 'no-restricted-imports': ['error', { patterns: [{ group, message }] }] },
});

const runner = ['@actions/*'];
const programs = ['**/helper/**'];
const io = ['node:*', '!node:crypto', '!node:util', '@aws-sdk/*', '@smithy/*', ...runner];

/** Beyond keys/, which is pure as a whole. */
const pureFiles = [
  'foreign-inputs',
  'input',
  'inputs',
  'role-inputs',
  'session-name',
  'state',
  'summary',
].map((name) => `src/action/${name}.ts`);
pureFiles.push(
  'helper/command-line/command.ts',
  'helper/command-line/credential-reference.ts',
  'helper/command-line/parse.ts',
  'helper/command-line/settings.ts',
  'helper/command-line/suggest.ts',
  'helper/proxy/refusal.ts',
  'helper/setup/credential-line.ts',
  'helper/setup/lines.ts',
  'helper/setup/plan.ts',
  'src/process/quote.ts',
  'src/ec2/host-name.ts',
  ...['codec', 'contents', 'conversation', 'reliability', 'silence'].map(
    (name) => `src/ec2/session-manager/${name}.ts`,
  ),
  'src/git/credential.ts',
  'src/git/store-entry.ts',
  'src/git/named-credential.ts',
  'src/git/stored-name.ts',
  'src/aws/credentials-hint.ts',
  ...['answers', 'endpoint', 'troubles'].map((name) => `src/aws/${name}.ts`),
  'src/github/app.ts',
  'src/github/jwt.ts',
  'src/git/job-configuration.ts',
  'src/git/signing.ts',
  'src/aws/ec2-session-policy.ts',
  'src/aws/session-policy.ts',
  'src/ssh/agent-protocol.ts',
  'src/ssh/host-keys.ts',
  'src/ssh/known-hosts.ts',
  'src/ssh/login-watch.ts',
  'src/ssh/pinned-hosts.ts',
  'src/ssh/ssh-config.ts',
);

/** Each station and the stations that it may know; all may know keys/ and errors.ts. */
const stations = {
  ...{ aws: [], secrets: ['aws'], ssh: ['process'], git: ['process'], process: [], ec2: ['aws'] },
  github: [],
};
const folders = ['action', 'host', ...Object.keys(stations)];
const allBut = (allowed) => folders.filter((name) => !allowed.includes(name)).map((name) => `**/${name}/**`);

export default defineConfig(
  { ignores: ['dist/**', 'lib/**', 'coverage/**', 'node_modules/**'] },
  eslint.configs.recommended,
  typed,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: 'error',
      'max-lines': ['error', { max: 300, skipComments: true, skipBlankLines: true }],
      'max-params': ['error', 3],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
    },
  },
  {
    files: ['*.js'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: { process: 'readonly', console: 'readonly' } },
  },
  {
    files: ['src/**/*.ts', 'helper/**/*.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector: "Literal[value='SIGPIPE']",
          message:
            'a listener for SIGPIPE makes every reset of a socket a signal: listen to the errors of streams',
        },
      ],
      'no-restricted-properties': [
        'error',
        ...['env', 'exit', 'argv', 'exitCode', 'stdout', 'stderr', 'stdin'].map((property) => ({
          object: 'process',
          property,
          message: 'only an entry (src/main.ts, src/post.ts, helper/*.ts) touches the process',
        })),
      ],
    },
  },
  {
    files: ['src/main.ts', 'src/post.ts', 'helper/*.ts'],
    rules: { 'no-restricted-properties': 'off', 'max-lines': ['error', 60] },
  },
  wall({
    files: ['src/**/*.ts'],
    ignores: ['src/runner.ts'],
    group: [...runner, ...programs],
    message: 'only runner.ts knows the runner, and src never imports a program',
  }),
  ...Object.entries(stations).map(([station, neighbours]) =>
    wall({
      files: [`src/${station}/**/*.ts`],
      group: [...runner, ...programs, ...allBut([station, ...neighbours])],
      message: `${station}/ may know ${['keys/', ...neighbours, 'errors.ts'].join(', ')} only`,
    }),
  ),
  wall({
    files: ['src/host/**/*.ts'],
    group: [...runner, ...programs, ...allBut(['host', ...Object.keys(stations)])],
    message: 'host/ may know the stations, keys/ and errors.ts only',
  }),
  wall({
    files: ['helper/**/*.ts'],
    group: [
      ...runner,
      ...[
        '**/src/*.ts',
        '!**/src/errors.ts',
        '!**/src/deadline.ts',
        '!**/src/unfinished.ts',
        '**/src/action/**',
      ],
    ],
    message: "programs share the journey with the action, and not the action's own files",
  }),
  wall({
    files: ['helper/command-line/**/*.ts'],
    ignores: ['helper/command-line/program.ts'],
    group: [
      ...runner,
      ...['**/src/*.ts', '!**/src/errors.ts', '!**/src/deadline.ts', '**/src/action/**'],
      '**/commands/**',
    ],
    message: 'what all commands share knows none of them; only program.ts does',
  }),
  wall({
    files: ['src/errors.ts', 'src/keys/**/*.ts', ...pureFiles],
    group: [...io, ...programs, ...allBut([])],
    message: 'a pure file imports pure files only',
  }),
  wall({
    files: ['src/host/settings.ts', 'src/host/credential-routes.ts'],
    group: [...io, ...programs, ...allBut(['host', 'git'])],
    message: 'settings are pure, and may know git/, keys/ and errors.ts only',
  }),
  {
    files: ['__tests__/**/*.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        ...['mock', 'unstable_mockModule', 'doMock', 'spyOn'].map((property) => ({
          object: 'jest',
          property,
          message: 'tests run real parts; a fake is a hand-written object',
        })),
      ],
    },
  },
);
