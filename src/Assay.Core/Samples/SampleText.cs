namespace Assay.Core.Samples;

/// <summary>The words of the sample project: a shop's support agent.</summary>
internal static class SampleText
{
    public const string System =
        "You are the support agent of **Nordwind**, an online electronics shop. Answer in the customer's language. Use tools before stating facts about an order. Never promise a refund without calling `create_claim` first.";

    /// <summary>A PNG of 96 x 72: a parcel with a torn corner.</summary>
    public const string ParcelPng =
        "iVBORw0KGgoAAAANSUhEUgAAAGAAAABICAIAAACGBWc0AAABI0lEQVR42u3bIY7CUBQFUFbEKtAo1KwBgUQhWQIaOXK2gRiDZQMIFCFoSEiaSWb48/sptH0cckNIBc07ue+TCgb7w1ESGSAABAgQIECAAAESQIAAAQIECNA188nwczG+vVcfEhdXs1HreSlQDkp1sQs6rQH9K9URnVcDZdanOzrtAKXrs1lPM/O1nPyZ/G9Ip/0z6LdUrQFiAiXqU3eAgECJ+hQMEH/FKqmyASIDFZ87b7RixZsVH6gRnfhn0OMDRP6Zb2SAsCvW1AAxG3S9JaC7ud0SECBAgAABAgQI0POBzudTrQACBKgA6CPjpUEaBMiKaRAgK6ZBgDyselgFBAgQoPtA/QogQD0C+pnv7a53AQQIUBwgf6gDJIAAAQIEqJe5AP3cwYnrW643AAAAAElFTkSuQmCC";

    public static readonly (string Question, string Answer, string Order)[] Cases =
    [
        (
            "Hi, my order #48211 never arrived and the tracking link is broken. I need the headphones before Friday, can you help?",
            "I am sorry about that. DHL lost the parcel in Hamburg on Tuesday, so I opened **claim C-1093** for you. You can choose:\n\n1. a replacement by express, at your door on **Thursday**, or\n2. a full refund of **€129.00** within three days.\n\nWhich do you prefer?",
            "48211"
        ),
        (
            "Kann ich die Kamera zurückgeben, wenn die Verpackung schon offen ist?",
            "Ja. Innerhalb von **30 Tagen** nehmen wir auch geöffnete Ware zurück, solange sie unbeschädigt ist. Das Etikett finden Sie unter *Meine Bestellungen → Rückgabe*.",
            "48377"
        ),
        (
            "Does the Aurora 2 monitor work with a 2019 MacBook Pro over one cable?",
            "Yes: over **USB-C** it runs at 4K and 60 Hz and charges with 65 W. Your MacBook asks for up to 87 W, so under full load the battery may fill slowly.\n\n| | Aurora 2 |\n|---|---|\n| Resolution | 3840 × 2160 |\n| Charging | 65 W |\n| Ports | USB-C, HDMI 2.0, 3 × USB-A |",
            "48392"
        ),
        (
            "You charged me twice for the same keyboard!!",
            "You are right, and I am sorry: the card was charged twice at 14:02. The second charge of **€89.90** is cancelled; your bank shows it within two working days.",
            "48401"
        ),
        (
            "متى سيصل طلبي رقم 48455؟",
            "طلبك في الطريق وسيصل غداً بين الساعة 10 و 12. رقم التتبع: JD014600006754",
            "48455"
        ),
        (
            "Which headset would you take for a loud open office, under 150 €?",
            "The **Halo 300** (€139). Its microphone cuts voices around you by 26 dB in our test, and it lasts 38 hours. If you phone rarely, the **Halo 200** at €99 is enough.",
            "48460"
        ),
    ];

    public static readonly string[] Turns =
    [
        "Hello, I want to return a camera.",
        Cases[1].Question,
        "And how long does the refund take?",
        "Great, thank you!",
    ];

    public static readonly string[] Replies =
    [
        "Of course. Is the packaging still closed?",
        Cases[1].Answer,
        "Cards take up to **two working days**, bank transfers up to three.",
        "You are welcome. Have a good day!",
    ];

    public static readonly string[] Documents =
    [
        "Parcels that are lost in transit are replaced or refunded after a claim has been opened with the carrier. The customer chooses. Express replacement is free of charge.",
        "Opened goods may be returned within 30 days when they are undamaged and complete. Ear tips and other hygiene items are excluded.",
        "Refunds go back to the means of payment of the order. Cards take up to two working days, bank transfers up to three.",
        "Monitors of the Aurora series charge laptops by USB-C with 65 W. Laptops that need more run, but may charge slowly under load.",
    ];

    public static readonly string[] Errors =
    [
        "RateLimitError: 429 Too Many Requests: tokens per minute limit reached for gpt-4.1\n\nTraceback (most recent call last):\n  File \"/app/agent/loop.py\", line 88, in step\n    reply = client.chat.completions.create(**request)\n  File \"/app/.venv/lib/openai/_base_client.py\", line 1047, in request\n    raise self._make_status_error_from_response(err.response) from None\nopenai.RateLimitError: Error code: 429 - {'error': {'message': 'Rate limit reached', 'type': 'tokens', 'code': 'rate_limit_exceeded'}}",
        "TimeoutError: carrier API did not answer within 8.0 s\n\nTraceback (most recent call last):\n  File \"/app/tools/carrier.py\", line 41, in track\n    response = session.get(url, timeout=8.0)\nrequests.exceptions.ReadTimeout: HTTPSConnectionPool(host='api.carrier.example', port=443): Read timed out. (read timeout=8.0)",
        "ValidationError: 1 validation error for ClaimRequest\norder_id\n  Input should be a valid integer, unable to parse string as an integer [type=int_parsing, input_value='A-48211', input_type=str]",
    ];
}
