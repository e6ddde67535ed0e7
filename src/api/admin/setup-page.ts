/** The pages of the set-up: plain HTML that loads nothing, runs nothing and may not be framed. */
import type { HttpResponse } from '../../http/message.ts'
import { htmlResponse } from '../../http/response.ts'
import { htmlText } from '../../kit/html-text.ts'

/** What is put back into the form when something in it was refused; never a password. */
export type FormValues = {
  /** Where the token stands. */
  readonly place: string
  readonly token: string
  readonly name: string
  readonly problem: string
}

export function formPage(
  status: number,
  { place, token, name, problem }: FormValues,
): HttpResponse {
  const refused =
    problem === '' ? '' : `<p role="alert"><strong>${htmlText(problem)}</strong></p>\n`
  return page(
    status,
    `<p>This store has no account yet. Whoever knows its token makes the first admin here. The token stands in
${htmlText(place)}.</p>
<p>Where you cannot read it there, for example since the host runs the program as a user of its own, write a token of your
choice into <code>apie.json</code> beside the program: <code>"setupToken": "…"</code>, at least 20 random characters.</p>
${refused}<form method="post">
<p><label>Token<br>
<input name="token" size="40" required autocomplete="off" value="${htmlText(token)}"></label></p>
<p><label>Name of the admin, for example an e-mail address<br>
<input name="name" size="40" required autocomplete="username" value="${htmlText(name)}"></label></p>
<p><label>Password; leave it empty to have one made<br>
<input name="password" type="password" size="40" autocomplete="new-password"></label></p>
<p><button>Make the account</button></p>
</form>`,
  )
}

/** @param password that was made here; it is shown this once */
export function donePage(name: string, password: string | undefined): HttpResponse {
  const made =
    password === undefined
      ? ''
      : `<p>Its password is <code>${htmlText(password)}</code>. Write it down: it is not shown again.</p>\n`
  return page(
    200,
    `<p>The account <code>${htmlText(name)}</code> is there, with the role admin.</p>
${made}<p>This page is gone from now on.</p>`,
  )
}

function page(status: number, content: string): HttpResponse {
  const response = htmlResponse(
    status,
    `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>apie set-up</title>
<h1>Set up apie</h1>
${content}
`,
  )
  return {
    ...response,
    headers: {
      ...response.headers,
      'content-security-policy':
        "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
      // Without a referrer browsers call the origin of a form "null", also where it is ours.
      'referrer-policy': 'same-origin',
      'cache-control': 'no-store',
    },
  }
}
