"""The posts of the demo, each with its comments. Moderation rejects comments that contain "orange"."""

POSTS: dict[str, list[str]] = {
    "I explained event-driven systems to my grandmother with a village newspaper. She asked who delivers it.": [
        "And what did you answer? That is the whole course in one question.",
        "Mine asked what happens if no one is at home. I had to draw a letterbox.",
        "Grandmothers make the best reviewers.",
        "The bus, in order. And it rings until the door opens.",
    ],
    "Things my sourdough and my servers have in common: both want regular feeding, and both sulk in winter.": [
        "Mine is called Kevin. The sourdough, not the server.",
        "The server is called Kevin here, so that is settled.",
        "A spoonful of rye flour wakes up either. Do not try it on the server.",
    ],
    "The night train to Vienna leaves at 21:40. A list of what to pack, and of what I forgot.": [
        "Earplugs. Always earplugs.",
        "A slice of cake for the conductor opens every door.",
        "I would add an orange for breakfast: no plate, no knife, no crumbs.",
        "Which side has the view of the river?",
    ],
    "A whiteboard marker that writes: a short story of hope, in three lectures.": [
        "Fiction is always welcome here.",
        "Green ones live longest, because no one likes them.",
        "We number ours and keep the empty ones as trophies.",
    ],
    "Today a student asked why we store events and not just the result. I threw away my slides and we talked.": [
        "The best hour of any term is the one that was not planned.",
        "What was the example that made it click?",
        "For us it was a bank statement: the last line alone is not enough.",
        "Could you write that talk down? I would use it next week.",
    ],
    "My bicycle has one gear, no app and no updates. Review after ten thousand kilometres: five stars.": [
        "Backward compatible with every hill, if you push.",
        "What is the uptime of the chain?",
        "Mine got an update from the rain last week. It squeaks now.",
    ],
    "Soup for people who get home late: one onion, one tin of tomatoes, ten minutes, no recipe.": [
        "A little cumin, and it tastes as if it had taken an hour.",
        "Made it at half past eleven. Thank you from the whole flat.",
        "The zest of an Orange at the very end lifts it.",
    ],
    "Naming things, part 7: I renamed `data2_final` and found a bug that had lived there for two years.": [
        "Please say that `data2_final_new` was next to it.",
        "A good name is a test that runs while you read.",
        "We keep a list of retired names on the fridge.",
        "Part 8 should be about booleans.",
    ],
    "How long is a second? In the queue of the bakery we measured it, and it depends on the smell.": [
        "Relative to cinnamon rolls, time stops altogether.",
        "A monotonic clock would have helped. So would a second bakery.",
    ],
    "I read the manual of our coffee machine from cover to cover. There is a descaling song.": [
        "There is a what?",
        "Ours plays it at four in the morning. We thought it was a ghost.",
        "Documentation that sings: put it on the list of habits.",
    ],
    "Lisbon by tram, without a plan: take the 28 in the wrong direction, and stay on to the end.": [
        "The cemetery at the end is the quietest place in town.",
        "Did that in May. Shared a bench, and a bag of oranges, with the driver.",
        "The wrong direction is the one with seats.",
        "Adding this to the trip with my class.",
    ],
    "What I learned from pairing with a nine-year-old: say it, then do it, then laugh when it breaks.": [
        "Nine-year-olds have no fear of the red text. I envy that.",
        "Ours asked the computer whether it was tired. It was a fair question.",
        "Say it, do it, laugh: that goes on our classroom wall.",
    ],
    "Three jars of plum jam, one kitchen, no survivors. A post-mortem without blame.": [
        "What was the timeline? Ours always ends at the ceiling.",
        "Root cause: the phone rang.",
        "Action item: a bigger pot.",
    ],
    "An idempotent joke: it is exactly as good when you hear it twice.": [
        "An idempotent joke: it is exactly as good when you hear it.",
        "I heard it at least once.",
        "Delivered in order, applied with a groan.",
        "The one about eventual consistency will be funny later.",
    ],
    "A walk around the lake takes 57 minutes, or three hours with my father, who talks to every dog.": [
        "Your father has the better metric.",
        "Eight dogs an hour is a solid throughput.",
    ],
    "The cheapest telescope I could find, a cold balcony, and the rings of Saturn. I called all my friends.": [
        "I was one of the people called. Worth getting up for.",
        "The first time I saw them I looked for the sticker on the lens.",
        "Wait for Mars: a little ORANGE dot, and just as hard to believe.",
    ],
    "Why our stand-up is now a walk: fifteen minutes, two blocks, and no screens.": [
        "What do you do when it rains?",
        "Umbrellas. The meetings got even shorter.",
        "We tried it, and a neighbour's cat has joined the team.",
    ],
    "Learning to type without looking, week 3: I now make the same mistakes, but much faster.": [
        "Week 6 is the good one. Hold on.",
        "Cover the keys with stickers. Cruel, but it works.",
        "I misread that as learning to tpye.",
    ],
    "Small museums I love: the one for umbrellas, the one for locks, and the one that is always closed.": [
        "The last one should be shown together with the locks.",
        "Go and see the Orangerie, if only for the light.",
        "Is there one for whiteboard markers?",
    ],
    "Dear blog, this post is number twenty. I promised to stop at ten. Thank you all for reading along.": [
        "Please promise to stop at thirty, then.",
        "I came for the soup and stayed for the dogs.",
        "Replay from the beginning!",
    ],
}
