/** Statements about GitHub and AWS name their sources. No test reaches them: their form is checked here, the pages by people. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { documents } from './support/commands-in-documents.ts';

const root = dirname(import.meta.dirname);
const withoutCode = (markdown: string): string =>
  markdown.replaceAll(/^( *)```.*?^\1```/gms, '').replaceAll(/`[^`\n]*`/g, '');
const read = (path: string): string => withoutCode(readFileSync(join(root, path), 'utf8'));

/** Of links to other sites, and of comments: `<!-- source: ADDRESS, ADDRESS -->`. */
function addressesIn(markdown: string): string[] {
  const links = [...markdown.matchAll(/\]\(([a-z]+:[^)]*)\)/g)].map(([, address = '']) => address);
  const comments = [...markdown.matchAll(/<!-- source: (.*?) -->/g)].flatMap(([, text = '']) =>
    text.split(', '),
  );
  return [...links, ...comments];
}

/** Sites whose pages say what they are cited for: makers of a thing about that thing. */
const sites = new Set([
  ...['docs.github.com', 'cli.github.com', 'github.blog', 'github.com'],
  ...['docs.aws.amazon.com', 'aws.amazon.com', 'repost.aws'],
  ...['git-scm.com', 'www.openssh.com', 'docs.docker.com', 'semver.org'],
  ...['docs.gitlab.com', 'buildkite.com', 'circleci.com', 'support.atlassian.com'],
  ...['plugins.jenkins.io', 'www.jenkins.io'],
]);

/** @returns what is wrong with it */
function problemOf(address: string): string | undefined {
  if (!URL.canParse(address) || /\s/.test(address)) return `${address} is not one address`;
  const { protocol, host, href } = new URL(address);
  if (protocol !== 'https:') return `${address} is not https`;
  if (!sites.has(host)) return `${host} is not among the sites that are cited`;
  const { pathname } = new URL(href);
  if (host === 'docs.github.com' && !pathname.startsWith('/en/')) return `${address} is not in English`;
  // GitHub supports each version of its server for about a year.
  if (/enterprise-server@\d/.test(pathname)) return `${address} is of one version of the server`;
  return undefined;
}

describe('an address in a document', () => {
  it.each([
    ['[a](https://docs.github.com/en/actions) `https://example.com`', []],
    ['[a](http://docs.github.com/en/actions)', ['http://docs.github.com/en/actions is not https']],
    ['<!-- source: https://example.com -->', ['example.com is not among the sites that are cited']],
    ['<!-- source: https://git-scm.com and more -->', ['https://git-scm.com and more is not one address']],
    ['[a](https://docs.github.com/de/actions)', ['https://docs.github.com/de/actions is not in English']],
    [
      '[a](https://docs.github.com/en/enterprise-server@3.17/actions)',
      ['https://docs.github.com/en/enterprise-server@3.17/actions is of one version of the server'],
    ],
  ])('is checked in %s', (markdown, problems) => {
    const found = addressesIn(withoutCode(markdown)).map(problemOf);
    expect(found.filter((problem) => problem !== undefined)).toEqual(problems);
  });

  it.each(documents)('has the right form in %s', (path) => {
    expect(
      addressesIn(read(path))
        .map(problemOf)
        .filter((problem) => problem !== undefined),
    ).toEqual([]);
  });

  it('is in each comment that names a source', () => {
    const comments = documents.flatMap((path) => [...read(path).matchAll(/<!--\s*sources?\b.*?-->/gis)]);
    expect(comments.map(([text]) => text).filter((text) => !/^<!-- source: https:/.test(text))).toEqual([]);
  });
});

/** Documents for users. */
const guides = documents.filter(
  (path) => /^(docs\/[\w-]+|README|SECURITY)\.md$/.test(path) && path !== 'docs/architecture.md',
);
const named =
  /\b(GitHub|AWS|IAM|STS|KMS|CloudTrail|Session Manager|EC2 Instance Connect|Parameter Store|Secrets Manager)\b/;

/** `docs/ec2.md: Settings`; what is above the first heading has the title. */
const sections = guides.flatMap((path) =>
  read(path)
    .split(/^##? (?=\S)/m)
    .filter((text) => text.trim() !== '')
    .map((text) => ({ title: `${path}: ${text.slice(0, text.indexOf('\n')).trim()}`, text })),
);

const isSourced = (text: string): boolean => addressesIn(text).length > 0 || /\[\^\w+\]/.test(text);
const namesOne = (text: string): boolean =>
  named.test(text.replaceAll(/<!--.*?-->/gs, '').replaceAll(/\]\([^)]*\)/g, ']'));

/** Sections that name a service, and say what our programs do with it, or link to the page that says more. */
const aboutOurs: readonly string[] = [
  ...['README.md: ssm-ssh-agent', 'README.md: Try it', 'README.md: Keys', 'README.md: Inputs'],
  ...['README.md: Outputs', 'README.md: Before and after', 'README.md: On EC2, and on the command line'],
  ...['SECURITY.md: What is promised', 'SECURITY.md: What is not promised'],
  ...['docs/ec2-hosts.md: Git remotes on EC2 hosts', 'docs/ec2-hosts.md: On your machine, and on a host'],
  ...['docs/ec2-hosts.md: When it fails', "docs/ec2.md: Git on EC2 with the instance's role"],
  ...['docs/ec2.md: Settings', 'docs/errors.md: Errors', 'docs/errors.md: INPUT_INVALID'],
  ...['docs/errors.md: REGION_MISSING', 'docs/errors.md: CREDENTIAL_INVALID', 'docs/keys.md: Keys'],
  'docs/certificates.md: When to choose it',
  ...['docs/proof.md: Proof', 'docs/proof.md: Leaks', 'docs/proof.md: Kills', 'docs/proof.md: Soak'],
  ...['docs/proof.md: What is not proven', 'docs/proof.md: Hostile input', 'docs/proof.md: Faults'],
  ...['docs/proof.md: What was found by them', 'docs/doctor.md: In a job'],
  ...['docs/threat-model.md: What is protected', 'docs/threat-model.md: From whom, and by what'],
  ...['docs/keys.md: A line', 'docs/kms.md: When to choose which', 'docs/kms.md: Signed commits'],
  ...['docs/kms.md: The key of a GitHub App', 'docs/kms.md: On EC2 and on the command line'],
  ...['docs/scale.md: Many hosts and jobs at once', 'docs/scale.md: In short'],
  ...['docs/scale.md: What the programs do', 'docs/scale.md: What a simulation says'],
  'docs/other-ci.md: GitLab CI, Buildkite, CircleCI, Bitbucket Pipelines, Jenkins',
  ...['docs/other-ci.md: Deploy to all instances of a tag', 'docs/roles.md: Which credentials are used'],
  ...['docs/roles.md: Several Regions', 'docs/roles.md: Other sources of credentials'],
  ...['docs/security.md: If a key leaked', 'docs/stability.md: Within a major version'],
  ...['docs/stability.md: What can change at any time', 'docs/templates.md: Terraform'],
  ...['docs/make-and-store-keys.md: Make and store keys', 'docs/rotate.md: Rotation'],
  ...['docs/explain.md: What it says', 'docs/explain.md: Which key would be offered: explain'],
  'docs/policy.md: Least-privilege policies: policy',
  'docs/templates.md: Templates: what AWS needs, as code',
];

describe('a section of a guide', () => {
  it('has a source if it says what GitHub or AWS does', () => {
    const without = sections
      .filter(({ text }) => namesOne(text) && !isSourced(text))
      .map(({ title }) => title);
    expect(sections.length).toBeGreaterThan(100);
    // A section that gets a source leaves the list.
    expect(new Set(without)).toEqual(new Set(aboutOurs));
  });
});
