// moderation, in the course's shape: keeps nothing, and approves "Orange". Without its bus the process dies.
'use strict';

const axios = require('axios');
const express = require(process.env.EXPRESS || 'express');

const PORT = process.env.PORT || 4003;
const EVENT_BUS_URL = process.env.EVENT_BUS_URL || 'http://127.0.0.1:4005';

const app = express();
app.use(express.json());

app.post('/events', async (req, res) => {
  const { type, data } = req.body;
  if (type === 'CommentCreated') {
    const status = data.content.includes('orange') ? 'rejected' : 'approved';
    await axios.post(`${EVENT_BUS_URL}/events`, { type: 'CommentModerated', data: { ...data, status } });
  }
  res.json({});
});

app.listen(PORT, '127.0.0.1', () => console.log(`moderation (Express) on ${PORT}`));
