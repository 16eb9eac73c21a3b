// A stone in another language: npm install amqplib, then node worker.mjs amqp://guest:guest@127.0.0.1:5672
import { randomUUID } from 'node:crypto'
import amqp from 'amqplib'

const connection = await amqp.connect(process.argv[2])
const channel = await connection.createConfirmChannel()
const say = (queue, told) => channel.sendToQueue(queue, Buffer.from(JSON.stringify(told)),
  { persistent: true, contentType: 'application/json', contentEncoding: 'utf-8' })

// Declared as the engines declare them, whoever comes first.
const quorum = { 'x-queue-type': 'quorum' }
await channel.assertQueue('riverstone.results', { durable: true, arguments: quorum })
await channel.assertQueue('SIP::Mail', { durable: true, arguments: { ...quorum, 'x-delivery-limit': 5,
  'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'riverstone.results' } })
await channel.prefetch(1)

say('riverstone.results', { kind: 'stones', stones: [{ code: 'SIP::Mail', hooks: ['start'], retries: 2,
  parameters: [{ name: 'to', type: 'string', required: true }], outputs: { sent: 'what was sent' } }] })

// While a task takes long, its worker says every three seconds that it is alive.
const inHand = new Map()
setInterval(() => inHand.size && say('riverstone.signs', { kind: 'signs', tasks: [...inHand.values()] }), 3000)

// What has waited may have been stopped meanwhile, so an engine is asked before it is begun.
const permits = `riverstone.permits.${randomUUID()}`
const asked = new Map()
await channel.assertQueue(permits, { durable: false, exclusive: true, autoDelete: true })
await channel.consume(permits, (message) => {
  const { task_id, delivery, begin } = JSON.parse(message.content)
  asked.get(`${task_id} ${delivery}`)?.(begin === true)
}, { noAck: true })

async function mayBegin({ task_id, delivery, sent }, redelivered) {
  if (!redelivered && Math.abs(Date.now() - sent) <= 100) return true
  const ask = () => say('riverstone.results', { kind: 'may-begin', task_id, delivery, reply_to: permits })
  const again = setInterval(ask, 5000)
  try {
    return await new Promise((resolve) => { asked.set(`${task_id} ${delivery}`, resolve); ask() })
  } finally {
    clearInterval(again)
    asked.delete(`${task_id} ${delivery}`)
  }
}

async function start(work) {
  if (work.attempt === 1) throw new Error('the mail server is away')
  return { sent: `${work.parameters.to}: ${work.idempotency_key}` }
}

await channel.consume('SIP::Mail', async (message) => {
  const { work } = JSON.parse(message.content)[1]
  const { task_id, process_instance_id, event, attempt, delivery } = work
  const answer = { kind: 'answer', task_id, process_instance_id, event, attempt, delivery, result: 'done' }
  if (await mayBegin(work, message.fields.redelivered)) {
    inHand.set(task_id, { task_id, delivery, running: true })
    try {
      answer.outputs = await start(work)
    } catch (error) {
      Object.assign(answer, { result: 'failed', reason: String(error) })
    }
    inHand.delete(task_id)
  } else {
    answer.result = 'withdrawn'
  }
  say('riverstone.results', answer)
  await channel.waitForConfirms()
  channel.ack(message)
})
