"""The edits that draw: a caption and a sticker over a photo, a screenshot around it."""
import math

from PIL import Image, ImageDraw, ImageFont

# Of the photo's area.
CAPTION_SHARE = 0.08
STICKER_SHARE = 0.10
# The window of a screenshot, in widths and heights of the photo.
WINDOW_WIDTH = 1.14
WINDOW_HEIGHT = 1.5
# The bar at the window's top and the photo below it, in heights of the photo.
BAR_HEIGHT = 0.16
PHOTO_TOP = 0.19

CAPTIONS = (
    "when the weekend is finally here",
    "nobody asked, but here we are",
    "SALE  50 % OFF  TODAY ONLY",
    "greetings from the coast",
    "look closely at this one",
    "Photo: the Sunday Gazette",
)
NAMES = ("Anna Weber", "sam_on_tour", "Photo club", "J. Moreau", "daily.pictures", "Hill & Sons")
STICKER_TEXTS = ("WOW", "NEW!", "-50%", ":-)", "TOP", "2 for 1")
COLOURS = ((230, 57, 70), (29, 120, 220), (255, 200, 20), (40, 170, 90), (150, 70, 190), (250, 120, 30))


def _font(height):
    """The font that comes inside Pillow, so that a text has the same pixels everywhere."""
    return ImageFont.load_default(max(6, height))


def _text_in(draw, box, text, fill, share=0.55):
    """`text` in the middle of `box`, at most `share` of its height and 90 % of its width."""
    left, top, right, bottom = box
    height = share * (bottom - top)
    width = _font(height).getlength(text)
    font = _font(height * min(1, 0.9 * (right - left) / width))
    draw.text(((left + right) / 2, (top + bottom) / 2), text, fill, font, anchor="mm")


def _contrast(colour):
    return (0, 0, 0) if sum(colour) > 380 else (255, 255, 255)


def overlay(image, generator):
    """A band with a caption, and a round sticker that does not touch it."""
    image = image.copy()
    width, height = image.size
    draw = ImageDraw.Draw(image)

    band = CAPTION_SHARE * height
    is_above = generator.random() < 0.5
    box = (0, 0, width, band) if is_above else (0, height - band, width, height)
    colour = generator.choice(((0, 0, 0), (255, 255, 255), *COLOURS))
    draw.rectangle(box, colour)
    _text_in(draw, box, generator.choice(CAPTIONS), _contrast(colour), share=0.7)

    # A strip of a picture may be narrower than the circle; the sticker is an ellipse of the same area there.
    diameter = 2 * math.sqrt(STICKER_SHARE * width * height / math.pi)
    sticker_width = min(diameter, 0.9 * width)
    sticker_height = min(diameter * diameter / sticker_width, 0.9 * (height - band))
    sticker_width = min(diameter * diameter / sticker_height, width)
    left = generator.uniform(0, width - sticker_width)
    top = generator.uniform(0, height - band - sticker_height) + (band if is_above else 0)
    box = (left, top, left + sticker_width, top + sticker_height)
    colour = generator.choice(COLOURS)
    draw.ellipse(box, colour, outline=(255, 255, 255), width=max(1, round(0.03 * sticker_height)))
    _text_in(draw, box, generator.choice(STICKER_TEXTS), _contrast(colour), share=0.4)
    return image


def screenshot(image, generator):
    """The photo in the window of a program that shows photos: bar, author, text, buttons."""
    is_dark = generator.random() < 0.5
    ground, bar, ink, faint = (
        ((24, 25, 28), (38, 40, 45), (235, 235, 240), (120, 124, 132))
        if is_dark
        else ((255, 255, 255), (240, 241, 244), (25, 26, 30), (150, 153, 160))
    )
    accent = generator.choice(COLOURS)
    unit = image.height
    width, height = round(WINDOW_WIDTH * image.width), round(WINDOW_HEIGHT * unit)
    window = Image.new("RGB", (width, height), ground)
    draw = ImageDraw.Draw(window)
    margin = (width - image.width) // 2

    def line(top, size, text, fill, left=margin):
        draw.text((left, top * unit), text, fill, _font(size * unit))

    # The bar: who shows the photo, and two icons.
    draw.rectangle((0, 0, width, BAR_HEIGHT * unit), bar)
    radius = 0.05 * unit
    middle = BAR_HEIGHT * unit / 2
    draw.circle((margin + radius, middle), radius, accent)
    line(0.035, 0.05, generator.choice(NAMES), ink, margin + 3 * radius)
    line(0.095, 0.035, f"{generator.randint(2, 23)} hours ago", faint, margin + 3 * radius)
    for place in range(2):
        left = width - margin - (1 + 2.4 * place) * radius
        draw.rectangle((left - 0.6 * radius, middle - 0.6 * radius, left + 0.6 * radius, middle + 0.6 * radius), None, faint, 2)

    top = round(PHOTO_TOP * unit)
    window.paste(image, (margin, top))

    # Below it: buttons, then two lines of text.
    buttons = ("Like", "Comment", "Share")
    button_width = image.width / len(buttons)
    for place, text in enumerate(buttons):
        left = margin + place * button_width
        box = (left + 0.05 * button_width, top + 1.03 * unit, left + 0.95 * button_width, top + 1.13 * unit)
        is_chosen = place == 0
        draw.rounded_rectangle(box, 0.03 * unit, accent if is_chosen else bar)
        _text_in(draw, box, text, _contrast(accent) if is_chosen else ink)
    line(PHOTO_TOP + 1.155, 0.05, f"{generator.randint(2, 980)} people like this", ink)
    line(PHOTO_TOP + 1.23, 0.045, generator.choice(CAPTIONS), faint)
    return window
