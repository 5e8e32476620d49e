// A real browser for tests of pages: Chromium of Debian, without a window. The one import of playwright-core.

import { chromium, type Browser, type Page } from 'playwright-core';
import { provide } from '../../scripts/support/debian.ts';

const PROGRAM = '/usr/bin/chromium';

/** Why tests with a browser cannot run here, or false: for the option `skip` of a test. */
export const noBrowser: string | false = provide({ files: [PROGRAM], packages: ['chromium'] }) ?? false;

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

interface Ending {
  after(end: () => Promise<void>): void;
}

/** Starts a browser with an empty profile; it is closed, with all its pages, when the test ends. */
export async function startBrowser(t: Ending): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: PROGRAM, args: FLAGS });
  t.after(() => browser.close());
  return browser;
}

export interface Look {
  scheme: 'light' | 'dark';
  width: number;
}

/** A page that somebody has opened, and what a visitor does not see of it. */
export class OpenPage {
  readonly page: Page;
  /** Errors and warnings of the console, and errors that the page did not catch. */
  readonly complaints: string[] = [];
  /** Addresses that were asked for. */
  readonly requests: URL[] = [];

  static async open(browser: Browser, url: string, { scheme, width }: Look): Promise<OpenPage> {
    const opened = new OpenPage(await browser.newPage({ viewport: { width, height: 800 }, colorScheme: scheme }));
    await opened.page.goto(url);
    return opened;
  }

  private constructor(page: Page) {
    this.page = page;
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('request', (request) => this.requests.push(new URL(request.url())));
  }

  text(selector: string): Promise<string> {
    return this.page.locator(selector).innerText();
  }

  /** The text of each row of a table's body, cell by cell. */
  async rows(selector: string): Promise<string[][]> {
    const rows = await this.page.locator(`${selector} tr`).all();
    return Promise.all(rows.map((row) => row.locator('td').allInnerTexts()));
  }

  /** How far the page is wider than its window, in pixels. */
  overhang(): Promise<number> {
    return this.page.evaluate('document.documentElement.scrollWidth - innerWidth');
  }

  /** The least contrast of a text to the colour of the window behind it, as WCAG counts it: 4.5 is readable. */
  contrast(): Promise<number> {
    return this.page.evaluate(CONTRAST);
  }
}

const CONTRAST = `(() => {
  const light = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map((n) => n / 255).map((n) => (n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const probe = document.body.appendChild(document.createElement('i'));
  probe.style.backgroundColor = 'Canvas';
  const behind = light(getComputedStyle(probe).backgroundColor);
  probe.remove();
  const texts = [...document.body.querySelectorAll('*')].filter((e) => e.checkVisibility() && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()));
  return Math.min(...texts.map((e) => light(getComputedStyle(e).color)).map((n) => (Math.max(n, behind) + 0.05) / (Math.min(n, behind) + 0.05)));
})()`;
