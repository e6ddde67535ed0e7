/** The tour of the README, word for word, in a document root with the shipped `.htaccess` files. */
import { expect, it } from 'vitest'
import { describeVariants } from '../support/apache-variants.ts'
import { runTour, tourOf } from '../support/tour.ts'
import { useApache } from '../support/use-apache.ts'

describeVariants('the tour of the README', (variant) => {
  const apache = useApache({ variant, shape: 'document-root' })

  it('has blocks to run', () => {
    expect(tourOf('README.md').length).toBeGreaterThan(0)
  })

  it('runs as it stands, block after block in one shell', async () => {
    const shell = await runTour('README.md', apache())
    expect(shell.status, `${shell.out}\n${shell.err}`).toBe(0)
  })
})
