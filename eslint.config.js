/** The rules of the house. The import walls are the table of docs/architecture.md. */
import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import node from 'eslint-plugin-n';
import tseslint from 'typescript-eslint';

const typed = tseslint.configs.strictTypeChecked;

const runner = ['@actions/*'];
const programs = ['**/helper/**'];

/** `files` may not import what matches `group`, types included. For the same file a later wall replaces an earlier one. */
const wall = ({ files, ignores = [], group, message }) => ({
  files,
  ignores,
  rules: { 'no-restricted-imports': ['error', { patterns: [{ group: [...runner, ...group], message }] }] },
});

/**
 * The files whose header says "Pure.": no input, no output, no clock. `npm run check:house` compares this list with the headers
 * and sees that a pure file imports pure files only.
 */
export const pureFiles = [
  'src/{back-off,certificate-trouble,errors,proxy-environment}.ts',
  'src/keys/*.ts',
  'src/action/{early-connections,foreign-inputs,input,inputs,markdown,masked-accounts,region-inputs,restrictions,role-inputs,session-inputs,state,summary}.ts',
  'src/aws/{answers,back-off,credentials-hint,ec2-session-policy,endpoint,host-policy,key-policy,kms-policy,kms-statement,patience,session-policy,session-tags,statement,token,token-request,troubles,trust-policy,usual-endpoint}.ts',
  'src/ec2/host-name.ts',
  'src/ec2/session-manager/{back-off,codec,contents,conversation,reliability,silence}.ts',
  'src/git/{config-text,credential,credential-settings,job-configuration,listing,named-credential,store-entry}.ts',
  'src/github/{api-url,app}.ts',
  'src/host/{compile,credential-routes,ec2-places,explain,foreign-command,front-addition,front-order,host-line,job-role,key-name,rival-sections,settings,shell-answer,signing-settings,usable-key,voice}.ts',
  'src/process/{environment,program-not-found,quote}.ts',
  'src/secrets/{batch-sizes,cache-address,rotated-members}.ts',
  'src/kms/front/{host-permission,identity,session-bindings,signature-request}.ts',
  'src/ssh/{agent-protocol,agent-requests,host-certificate,host-key-refusal,host-keys,known-hosts,login-watch,repository-hosts,ssh-config,ssh-path}.ts',
  'helper/command-line/{account,cache-option,command,parse,settings,suggest}.ts',
  'helper/certify/{options,report,wish}.ts',
  'helper/{add,exec,public}/options.ts',
  'helper/store/{options,where-to-paste}.ts',
  'helper/setup/{lines,marked-lines,options,overridden,plan,replaced-lines,report,short-lived}.ts',
  'helper/policy/{formats,hosts,options,trust}.ts',
  'helper/proxy/way.ts',
  'helper/explain/{explanation,signing,target}.ts',
  'helper/doctor/{finding,git-credential-helpers,git-rewrites,git-sections,git-settings,git-ssh-command,git-values,host-kind,key-remedy,own-programs,proxy-for,reference-remedy,render,setting-remedy,ssh-command,wanted}.ts',
  'helper/rotate/{kms-progress,options,plan,texts}.ts',
];

/** Each station and the stations that it may know. */
const stations = {
  ...{ process: [], aws: [], github: [], gitlab: [] },
  ...{ ssh: ['process'], git: ['process'], secrets: ['aws'], ec2: ['aws', 'process'] },
  kms: ['aws', 'process', 'ssh'],
};
/** Each room of src and the rooms that it may know. All may know keys/ and the files right in src. */
const rooms = { keys: [], ...stations, host: Object.keys(stations) };
const folders = [...Object.keys(stations), 'host', 'action'];
const allBut = (allowed) => folders.filter((name) => !allowed.includes(name)).map((name) => `**/${name}/**`);

/** Of the files right in src what programs share with the action. */
const sharedOnly = [
  '**/src/*.ts',
  '!**/src/errors.ts',
  '!**/src/deadline.ts',
  '!**/src/proxy-environment.ts',
  '**/src/action/**',
];

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
    files: ['*.js', 'build/*.cjs'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: { process: 'readonly', console: 'readonly' } },
  },
  {
    files: ['src/**/*.ts', 'helper/**/*.ts'],
    plugins: { node },
    rules: {
      'no-console': 'error',
      // What package.json's `engines` do not have.
      'node/no-unsupported-features/es-builtins': 'error',
      'node/no-unsupported-features/node-builtins': 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector: "Literal[value='SIGPIPE']",
          message:
            'a listener for SIGPIPE makes every reset of a socket a signal: listen to the errors of streams',
        },
        {
          selector: "MemberExpression[object.name='URL'][property.name='parse']",
          message: 'Node 20 has no URL.parse: ask URL.canParse first',
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
    group: programs,
    message: 'only runner.ts knows the runner, and src never imports a program',
  }),
  wall({
    files: [
      'src/{back-off,certificate-trouble,errors,deadline,deploy-keys-api,http-api,http-request,in-lanes,proxy-environment}.ts',
    ],
    group: [...programs, ...allBut([])],
    message: 'what every room may know knows no room but keys/',
  }),
  ...Object.entries(rooms).map(([room, neighbours]) =>
    wall({
      files: [`src/${room}/**/*.ts`],
      group: [...programs, ...allBut([room, ...neighbours])],
      message: `${room}/ may know ${['keys/', ...neighbours.map((name) => `${name}/`), 'errors.ts'].join(', ')} only`,
    }),
  ),
  wall({
    files: ['helper/**/*.ts'],
    group: sharedOnly,
    message: "programs share rooms with the action, and not the action's own files",
  }),
  wall({
    files: ['helper/*/**/*.ts'],
    ignores: ['helper/command-line/program.ts'],
    group: [...sharedOnly, '**/commands/**'],
    message: 'what commands share knows none of them, and no command knows another; only program.ts does',
  }),
  {
    files: pureFiles,
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['node:*', '!node:crypto', '!node:util', '@aws-sdk/*', '@smithy/*'],
              allowTypeImports: true,
              message: 'a pure file does no input and no output: move this elsewhere, or take "Pure." away',
            },
          ],
        },
      ],
    },
  },
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
