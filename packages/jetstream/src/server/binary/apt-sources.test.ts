import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import {
  debianKeyring,
  debianMirrors,
  parseDeb822Sources,
  parseOneLineSources,
  readAptSources,
} from "./apt-sources.ts";

const archiveKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

test("one-line sources: options, comments and source packages", () => {
  const text = `
# deb http://commented.example.org/debian bookworm main
deb http://mirror.example.org/debian bookworm main contrib # the closest one
deb-src http://mirror.example.org/debian bookworm main
  deb [ arch=amd64 signed-by=${archiveKeyring} ] https://second.example.org/debian/ sid main
deb http://flat.example.org/packages ./
`;
  expect(parseOneLineSources(text)).toEqual([
    {
      uri: "http://mirror.example.org/debian",
      suite: "bookworm",
      components: ["main", "contrib"],
      signedBy: undefined,
    },
    {
      uri: "https://second.example.org/debian/",
      suite: "sid",
      components: ["main"],
      signedBy: archiveKeyring,
    },
    {
      uri: "http://flat.example.org/packages",
      suite: "./",
      components: [],
      signedBy: undefined,
    },
  ]);
});

test("deb822 sources: several URIs and suites, continued lines, comments inside", () => {
  const text = `# Written by an installer.

Types: deb deb-src
# http://snapshot.example.org/debian
URIs: http://mirror.example.org/debian
  http://second.example.org/debian
suites: bookworm bookworm-updates
Components: main
Signed-By: ${archiveKeyring}
   
Types: deb-src
URIs: http://sources.example.org/debian
Suites: bookworm
Components: main
`;
  const sources = parseDeb822Sources(text);
  expect(sources.map(({ uri, suite }) => `${uri} ${suite}`)).toEqual([
    "http://mirror.example.org/debian bookworm",
    "http://mirror.example.org/debian bookworm-updates",
    "http://second.example.org/debian bookworm",
    "http://second.example.org/debian bookworm-updates",
  ]);
  expect(sources[0]).toMatchObject({ components: ["main"], signedBy: archiveKeyring });
});

test("deb822 sources that are switched off do not count", () => {
  const text = `Enabled: no
Types: deb
URIs: http://mirror.example.org/debian
Suites: bookworm
Components: main`;
  expect(parseDeb822Sources(text)).toEqual([]);
  expect(parseDeb822Sources(text.replace("no", "yes"))).toHaveLength(1);
});

test("Debian's main archive is told apart from everything else", () => {
  const sources = parseOneLineSources(`
deb http://mirror.example.org/debian bookworm main
deb http://mirror.example.org/debian bookworm-updates main
deb http://mirror.example.org/debian-security bookworm-security main
deb http://security.example.org/ bookworm/updates main
deb http://mirror.example.org/debian-security bookworm main
deb http://tool.example.org/linux/debian bookworm stable
deb http://runtime.example.org/packages nodistro main
deb http://database.example.org/pub bookworm-pgdg main
deb [signed-by=/etc/apt/keyrings/vendor.gpg] http://vendor.example.org/debian bookworm main
deb [signed-by=${archiveKeyring}] http://second.example.org/debian trixie main
deb http://contrib.example.org/debian bookworm contrib
`);
  expect(debianMirrors(sources)).toEqual([
    { uri: "http://mirror.example.org/debian", signedBy: debianKeyring },
    { uri: "http://second.example.org/debian", signedBy: archiveKeyring },
  ]);
});

test("a key given in the source itself is not the distribution's key ring", () => {
  const sources = parseDeb822Sources(`Types: deb
URIs: http://vendor.example.org/debian
Suites: bookworm
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBF
 -----END PGP PUBLIC KEY BLOCK-----`);
  expect(sources).toHaveLength(1);
  expect(debianMirrors(sources)).toEqual([]);
});

test("all configured files are read, those of other formats and names are not", async () => {
  const folder = await mkdtemp(join(tmpdir(), "troupe-test-"));
  await mkdir(join(folder, "sources.list.d"));
  const files = {
    "sources.list": "deb http://first.example.org/debian bookworm main\n",
    "sources.list.d/b.sources":
      "Types: deb\nURIs: http://third.example.org/debian\nSuites: sid\nComponents: main\n",
    "sources.list.d/a.list": "deb http://second.example.org/debian bookworm main\n",
    "sources.list.d/c.list.disabled": "deb http://fourth.example.org/debian bookworm main\n",
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  expect((await readAptSources(folder)).map(({ uri }) => uri)).toEqual([
    "http://first.example.org/debian",
    "http://second.example.org/debian",
    "http://third.example.org/debian",
  ]);
  expect(await readAptSources(join(folder, "nowhere"))).toEqual([]);
  await rm(folder, { recursive: true });
});
