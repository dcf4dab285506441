// The event bus, in the course's shape: keeps events in memory, and sends each event once to every service.
'use strict';

const http = require('http');

const axios = require('axios');
const express = require(process.env.EXPRESS || 'express');

const PORT = process.env.PORT || 4005;
const COURSE = [4000, 4001, 4002, 4003].map((port) => `http://127.0.0.1:${port}`).join();
const SUBSCRIBERS = (process.env.SUBSCRIBERS || COURSE).split(',');

// The course sends each event at once, over a new connection if needed, so on a busy machine events overtake each
// other. With SOCKETS=1 each service gets one event after the other.
const httpAgent = new http.Agent({ keepAlive: true, maxSockets: Number(process.env.SOCKETS) || Infinity });

const events = [];

const app = express();
app.use(express.json());

app.post('/events', (req, res) => {
  const event = req.body;
  events.push(event);
  for (const url of SUBSCRIBERS) {
    axios.post(`${url}/events`, event, { httpAgent }).catch((error) => console.log(`${url}: ${error.message}`));
  }
  res.json({ status: 'OK' });
});

// The course's first bus keeps no events, so it has no GET /events.
if (process.env.EVENT_STORE !== 'none') {
  app.get('/events', (req, res) => res.json(events));
}

app.listen(PORT, '127.0.0.1', () => console.log(`event-bus (Express) on ${PORT}`));
