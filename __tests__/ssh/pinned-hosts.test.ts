/** The pinned host keys have the fingerprints that their hosts publish. */
import { describe, expect, it } from '@jest/globals';
import { renderKnownHosts, pinnedHosts } from '../../src/ssh/known-hosts.ts';
import { fingerprintOfLine, linesFor } from '../support/keygen.ts';

const github = [
  'SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU',
  'SHA256:p2QAMXNIC1TJYWeIOttrVc98/R1BUFWu3/LiyKgUfQM',
  'SHA256:uNiVztksCsDhcc0u9e8BujQXVUpKZIDTMczCvj3tD2s',
];
const gitlab = [
  'SHA256:eUXGGm1YGsMAS7vkcx6JOJdOGHPem5gQp4taiCfCLB8',
  'SHA256:HbW3g8zUjNSksFbqTiUWPWg2Bq1x8xdGUrliXFzSnUw',
  'SHA256:ROQFvPThGrW4RuWLoL9tq9I9zJ42fK4XywyRtbOz/EQ',
];
const bitbucket = [
  'SHA256:ybgmFkzwOSotHTHLJgHO0QN8L0xErw6vd0VhFA9m3SM',
  'SHA256:FC73VB6C4OQLSCrjEayhMp9UMxS97caD/Yyi2bhW/J0',
  'SHA256:46OSHA1Rmj8E8ERTC6xkNcmGOw9oFxYr0WF6zWW8l1E',
];
const azureDevOps = ['SHA256:ohD8VZEXGWo6Ez8GSEJQ9WpafgLFsOfLOtGGQCQo6Og'];

describe('the pinned keys', () => {
  const file = renderKnownHosts('');

  it.each([
    ['github.com', github],
    ['[ssh.github.com]:443', github],
    ['gitlab.com', gitlab],
    ['[altssh.gitlab.com]:443', gitlab],
    ['bitbucket.org', bitbucket],
    ['altssh.bitbucket.org', bitbucket],
    ['[altssh.bitbucket.org]:443', bitbucket],
    ['ssh.dev.azure.com', azureDevOps],
    ['vs-ssh.visualstudio.com', azureDevOps],
  ])('of %s are the published ones, by ssh-keygen', (host, fingerprints) => {
    const lines = linesFor(host, file).map((line) => line.split(' ').slice(1).join(' '));
    expect(lines.map(fingerprintOfLine)).toEqual(fingerprints);
  });

  it.each(['[github.com]:443', 'ssh.github.com', 'example.com', 'xgithub.com', 'gist.github.com'])(
    'are not for %s',
    (host) => {
      expect(linesFor(host, file)).toEqual([]);
    },
  );

  it.each(['SHA256:nThbg6kX', 'SHA256:zzXQOXSR'])('do not contain the leaked ones (%s…)', (leaked) => {
    const all = pinnedHosts.flatMap(({ keys }) => keys.map(fingerprintOfLine));
    expect(all).toHaveLength(10);
    expect(all.filter((fingerprint) => fingerprint.startsWith(leaked))).toEqual([]);
  });
});
