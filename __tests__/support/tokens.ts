/** Invalid secrets in the forms of real ones. */
const letters = 'aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6kM9n';

export const tokens = {
  GitHub: `ghp_${letters.slice(0, 36)}`,
  'GitHub, fine-grained': `github_pat_${letters.slice(0, 22)}_${letters}`,
  GitLab: `glpat-${letters.slice(0, 20)}`,
  'GitLab, secret of an application': `gloas-${letters}`,
  Bitbucket: `ATBB${letters.slice(0, 32)}`,
  'AWS, secret access key': `${letters.slice(0, 20)}/${letters.slice(20, 39)}`,
  'a JSON Web Token': `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.${letters}`,
} as const;
