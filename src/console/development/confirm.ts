/** The development wallet's own window and bar, in a shadow root: nothing of the page can style or fill them. */

const sheet = new CSSStyleSheet()
sheet.replaceSync(`
  :host { all: initial; color-scheme: light; font-family: system-ui, sans-serif; }
  dialog { border: 4px dashed #a15c00; border-radius: 12px; max-width: min(34rem, 92vw); box-sizing: border-box; padding: 1.25rem; overflow-wrap: anywhere; color: #222; background: #fff8e8; }
  dialog::backdrop { background: rgb(0 0 0 / 0.55); }
  .mark { background: #7a4600; color: #fff; font-weight: 700; padding: 0.3rem 0.6rem; border-radius: 6px; margin: 0 0 0.75rem; }
  h2 { font-size: 1.15rem; margin: 0 0 0.5rem; }
  pre { font-size: 0.75rem; max-height: 14rem; overflow: auto; background: #fff; border: 1px solid #cdb98e; padding: 0.5rem; white-space: pre-wrap; overflow-wrap: anywhere; }
  button, select { font: inherit; padding: 0.55rem 1rem; border-radius: 8px; border: 1px solid #7a4600; background: #fff; color: #222; cursor: pointer; }
  button.yes { background: #7a4600; color: #fff; }
  .acts { display: flex; gap: 0.75rem; margin-top: 0.75rem; }
  .bar { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; margin: 0.75rem auto; width: fit-content; max-width: calc(100vw - 1.5rem); box-sizing: border-box;
    background: #fff8e8; color: #222; border: 2px dashed #a15c00; border-radius: 10px; padding: 0.4rem 0.6rem; font-size: 0.8125rem; }
  .bar select { padding: 0.2rem 0.4rem; font-size: 0.8125rem; }
  label { display: inline-flex; gap: 0.3rem; align-items: center; }
`)

const host = document.createElement('aside')
host.setAttribute('aria-label', 'Development wallet')
const shadow = host.attachShadow({ mode: 'open' })
shadow.adoptedStyleSheets = [sheet]

/** Puts the wallet onto the page. */
export function mount(): void {
  document.body.append(host)
}

/** Asks the person, one question after the other. False where the answer is no. */
export function confirm(question: { title: string; account: string; details: string }): Promise<boolean> {
  const answer = last.then(() => ask(question))
  last = answer
  return answer
}

let last: Promise<unknown> = Promise.resolve()

function ask({
  title,
  account,
  details,
}: {
  title: string
  account: string
  details: string
}): Promise<boolean> {
  return new Promise((resolve) => {
    const dialog = document.createElement('dialog')
    dialog.setAttribute('aria-label', `Development wallet: ${title}`)
    const yes = button('Confirm', 'yes')
    const no = button('Reject', 'no')
    const acts = element('div', 'acts')
    acts.append(yes, no)
    const pre = element('pre', '', details)
    pre.tabIndex = 0
    dialog.append(
      element('p', 'mark', 'Development wallet \u00b7 test keys, no real money'),
      element('h2', '', title),
      element('p', '', account),
      pre,
      acts,
    )
    const end = (answer: boolean) => {
      dialog.close()
      dialog.remove()
      resolve(answer)
    }
    yes.addEventListener('click', () => end(true))
    no.addEventListener('click', () => end(false))
    dialog.addEventListener('cancel', () => end(false))
    shadow.append(dialog)
    dialog.showModal()
  })
}

/** A choice in the bar at the foot of the page. Answers a function that shows another choice. */
export function choice(options: {
  label: string
  values: readonly string[]
  selected: number
  onChoose: (index: number) => void
}): (index: number) => void {
  const label = element('label', '', options.label)
  const select = document.createElement('select')
  select.setAttribute('aria-label', options.label)
  for (const value of options.values) select.append(new Option(value))
  select.selectedIndex = options.selected
  select.addEventListener('change', () => options.onChoose(select.selectedIndex))
  label.append(select)
  bar().append(label)
  return (index) => {
    select.selectedIndex = index
  }
}

function bar(): HTMLElement {
  const found = shadow.querySelector<HTMLElement>('.bar')
  if (found !== null) return found
  const made = element('div', 'bar', '')
  made.append(element('strong', '', 'Development wallet'))
  shadow.append(made)
  return made
}

function button(text: string, className: string): HTMLButtonElement {
  const made = document.createElement('button')
  made.type = 'button'
  made.textContent = text
  made.className = className
  return made
}

function element(name: string, className: string, text = ''): HTMLElement {
  const made = document.createElement(name)
  made.className = className
  made.textContent = text
  return made
}
