"""Random changes below two roots, and what a catalog of them must hold then. For watch.sh.

    watch_changes.py change SEED COUNT KIND WORK    makes COUNT changes; what they were goes to WORK/changes.log
    watch_changes.py compare WORK                   the roots against WORK/images.jsonl and WORK/failures.jsonl
    watch_changes.py kept WORK                      the ids in WORK/before.jsonl against those in WORK/images.jsonl

WORK holds `one` and `two` (the roots), `outside` and `sources` (photos to take from). KIND: `any`, or `renames` for names only.
"""

import hashlib, json, os, random, shutil, sys, threading, time

BROKEN = b"\xff\xd8\xff\xe0 not a photo"
UNFINISHED = (b".tmp", b".part", b".crdownload")


def is_skipped(name):
    return name.startswith(b".") or name.endswith(UNFINISHED) or name.endswith(b"~")


def below(root):
    """Paths of all files and of all folders that count."""
    files, folders = [], [root]
    for parent, names, leaves in os.walk(root):
        names[:] = sorted(name for name in names if not is_skipped(name))
        folders += [os.path.join(parent, name) for name in names]
        files += [os.path.join(parent, leaf) for leaf in sorted(leaves) if not is_skipped(leaf)]
    return files, folders


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def is_broken(path):
    # Its last byte may have been changed since.
    with open(path, "rb") as file:
        return file.read(len(BROKEN) - 1) == BROKEN[:-1]


class Changes:
    NAMES = [b"plain", b"with space", b"line\nbreak", b"quote'\"", b"latin\xe9", b"\xf0\x9f\x8c\xb5", b"-dash", b"star*?[a]", b"back\\slash"]

    def __init__(self, seed, work):
        self.chance = random.Random(seed)
        self.seed = seed
        self.work = os.fsencode(work)
        self.roots = [os.path.join(self.work, name) for name in (b"one", b"two")]
        self.outside = os.path.join(self.work, b"outside")
        folder = os.path.join(self.work, b"sources")
        self.sources = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
        self.count = 0
        self.threads = []
        # Paths that a slow writer has: nothing else happens to them, nor to the folders above.
        self.held = []
        # Contents that were copied, deleted or overwritten: their ids may change.
        self.disturbed = []
        self.log = open(os.path.join(self.work, b"changes.log"), "a", encoding="utf-8", errors="backslashreplace")

    def say(self, *words):
        print(f"{time.time():.3f}", *[os.fsdecode(word) if isinstance(word, bytes) else word for word in words], file=self.log, flush=True)

    # What there is

    def is_free(self, path):
        return not any(held == path or held.startswith(path + b"/") for held in self.held)

    def files(self, ending=(b".jpg", b".png")):
        found = []
        for root in self.roots:
            found += [path for path in below(root)[0] if path.endswith(ending) and self.is_free(path) and b"anchor" not in path]
        return found

    def file(self):
        files = self.files()
        return self.chance.choice(files) if files else None

    def folder(self):
        return self.chance.choice([folder for root in self.roots for folder in below(root)[1]])

    def subfolder(self):
        found = [folder for root in self.roots for folder in below(root)[1][1:] if self.is_free(folder)]
        return self.chance.choice(found) if found else None

    def name(self):
        self.count += 1
        return b"%s %d-%d" % (self.chance.choice(self.NAMES), self.seed, self.count)

    def target(self):
        return os.path.join(self.folder(), self.name() + b".jpg")

    def photo(self):
        """A photo's bytes with something after its end: the same picture, another content."""
        self.count += 1
        with open(self.chance.choice(self.sources), "rb") as file:
            return file.read() + b"%d-%d" % (self.seed, self.count)

    def disturb(self, *paths):
        for path in paths:
            files = below(path)[0] if os.path.isdir(path) else [path]
            self.disturbed += [digest(file) for file in files if os.path.isfile(file)]

    def write(self, path, data):
        with open(path, "wb") as file:
            file.write(data)

    # Changes

    def copy_in(self):
        target = self.target()
        self.say("copy in", target)
        self.write(target, self.photo())

    def move_in(self):
        target = self.target()
        staged = os.path.join(self.outside, b"staged")
        self.write(staged, self.photo())
        self.say("move in", target)
        os.rename(staged, target)

    def link_in(self):
        target = self.target()
        staged = os.path.join(self.outside, b"linked %d-%d" % (self.seed, self.count))
        self.write(staged, self.photo())
        self.say("link in", target)
        os.link(staged, target)

    def link_within(self):
        file, target = self.file(), self.target()
        if file:
            self.say("link", file, "as", target)
            self.disturb(file)
            os.link(file, target)

    def copy_within(self):
        file, target = self.file(), self.target()
        if file:
            self.say("copy", file, "to", target)
            self.disturb(file)
            shutil.copy2(file, target)

    def deep_folder(self):
        path = self.folder()
        for _ in range(self.chance.randint(1, 5)):
            path = os.path.join(path, self.name())
        if len(path) > 1500:
            return
        self.say("deep folder", path)
        os.makedirs(path)
        for _ in range(self.chance.randint(1, 4)):
            parent = self.chance.choice([path, os.path.dirname(path)])
            self.write(os.path.join(parent, self.name() + b".jpg"), self.photo())

    def rename(self):
        file = self.file()
        if file:
            target = self.target()
            self.say("rename", file, "to", target)
            os.rename(file, target)

    def rename_twice(self):
        file = self.file()
        if file:
            between, target = self.target(), self.target()
            self.say("rename", file, "over", between, "to", target)
            os.rename(file, between)
            time.sleep(self.chance.choice([0, 0.1, 0.3]))
            os.rename(between, target)

    def exchange(self):
        first, second = self.file(), self.file()
        if first and first != second:
            between = self.target()
            self.say("exchange", first, "and", second)
            self.disturb(first, second)
            os.rename(first, between)
            os.rename(second, first)
            os.rename(between, second)

    def rename_over(self):
        first, second = self.file(), self.file()
        if first and first != second:
            self.say("rename", first, "over", second)
            self.disturb(second)
            os.rename(first, second)

    def rename_folder(self):
        folder, parent = self.subfolder(), self.folder()
        if folder and not (parent + b"/").startswith(folder + b"/"):
            target = os.path.join(parent, self.name())
            if len(target) < 1500:
                self.say("rename folder", folder, "to", target)
                os.rename(folder, target)

    def folder_out_and_in(self):
        folder = self.subfolder()
        if folder:
            away, target = os.path.join(self.outside, self.name()), os.path.join(self.folder(), self.name())
            if (target + b"/").startswith(folder + b"/"):
                target = folder
            self.say("folder", folder, "out, and back as", target)
            self.disturb(folder)
            os.rename(folder, away)
            time.sleep(self.chance.choice([0, 0.05, 0.5, 1.5]))
            os.rename(away, target)

    def delete(self):
        file = self.file()
        if file:
            self.say("delete", file)
            self.disturb(file)
            os.remove(file)

    def delete_and_restore(self):
        file = self.file()
        if file:
            self.say("delete and write again", file)
            self.disturb(file)
            with open(file, "rb") as old:
                data = old.read()
            os.remove(file)
            time.sleep(self.chance.choice([0, 0.3, 1.1, 1.3]))
            self.write(file, data)

    def delete_folder(self):
        folder = self.subfolder()
        if folder and self.chance.random() < 0.5:
            self.say("delete folder", folder)
            self.disturb(folder)
            shutil.rmtree(folder)

    def replace_folder(self):
        folder = self.subfolder()
        if folder:
            self.say("delete folder and make it again", folder)
            self.disturb(folder)
            shutil.rmtree(folder)
            time.sleep(self.chance.choice([0, 0.01, 0.4]))
            os.mkdir(folder)
            self.write(os.path.join(folder, self.name() + b".jpg"), self.photo())

    def overwrite(self):
        file = self.file()
        if file:
            self.say("overwrite", file)
            self.disturb(file)
            self.write(file, self.photo())

    def overwrite_same_size_and_time(self):
        file = self.file()
        if file:
            self.say("overwrite with size and time kept", file)
            self.disturb(file)
            status = os.stat(file)
            with open(file, "r+b") as open_file:
                open_file.seek(-1, os.SEEK_END)
                open_file.write(b"%d" % self.chance.randrange(10))
            os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))

    def rewrite_slowly(self):
        file = self.file() if self.chance.random() < 0.5 else None
        file = file or self.target()
        data = self.photo()
        self.say("write slowly", file)
        if os.path.exists(file):
            self.disturb(file)
        pieces = self.chance.randint(2, 6)
        pause = self.chance.choice([0.02, 0.1, 0.3])
        self.held.append(file)

        def work():
            for index in range(pieces):
                # Opened anew for each piece, so that every piece ends with a close.
                with open(file, "wb" if index == 0 else "ab") as open_file:
                    open_file.write(data[len(data) * index // pieces : len(data) * (index + 1) // pieces])
                time.sleep(pause)
            self.held.remove(file)

        thread = threading.Thread(target=work)
        thread.start()
        self.threads.append(thread)

    def touch(self):
        file = self.file()
        if file:
            self.say("touch", file)
            os.utime(file)

    def change_rights(self):
        file = self.subfolder() if self.chance.random() < 0.3 else self.file()
        if file:
            self.say("take the rights of", file, "and give them back")
            mode = os.stat(file).st_mode & 0o7777
            os.chmod(file, 0)
            # Root reads it all the same, and sees two changes of its status.
            time.sleep(self.chance.choice([0, 0.7]))
            os.chmod(file, mode)

    def finish_download(self):
        target = self.target()
        parent, name = os.path.split(target)
        unfinished = self.chance.choice([os.path.join(parent, b"." + name + b".aB3xYz"), target + b".crdownload", target + b".part"])
        self.say("download", target)
        data = self.photo()
        self.write(unfinished, data[: len(data) // 2])
        time.sleep(self.chance.choice([0, 0.3]))
        self.write(unfinished, data)
        os.rename(unfinished, target)

    def hide(self):
        file = self.file()
        if file:
            hidden = os.path.join(os.path.dirname(file), b"." + os.path.basename(file))
            self.say("hide", file)
            self.disturb(file)
            os.rename(file, hidden)
            if self.chance.random() < 0.5:
                time.sleep(self.chance.choice([0, 0.5, 1.5]))
                os.rename(hidden, file)

    def break_file(self):
        target = self.target()
        self.say("broken", target)
        self.write(target, BROKEN)

    def write_document(self):
        file = self.file()
        if file:
            place = self.chance.choice([file + b".json", os.path.splitext(file)[0] + b".json"])
            self.say("document", place)
            self.count += 1
            self.write(place, json.dumps({"note": f"{self.seed}-{self.count}"}).encode())

    def drop_document(self):
        documents = self.files(ending=(b".json",))
        if documents:
            document = self.chance.choice(documents)
            self.say("drop document", document)
            os.remove(document)

    def move_document(self):
        documents, file = self.files(ending=(b".json",)), self.file()
        if documents and file:
            document = self.chance.choice(documents)
            self.say("move document", document, "to", file)
            os.rename(document, file + b".json")

    def rename_with_document(self):
        file = self.file()
        if file and os.path.exists(file + b".json"):
            target = self.target()
            self.say("rename with document", file, "to", target)
            os.rename(file, target)
            os.rename(file + b".json", target + b".json")

    NAMES_ONLY = [rename, rename, rename_twice, rename_folder]
    ANY = NAMES_ONLY + [
        copy_in, copy_in, copy_in, move_in, move_in, link_in, link_within, copy_within, deep_folder, deep_folder, exchange,
        rename_over, folder_out_and_in, delete, delete_and_restore, delete_folder, replace_folder, overwrite, overwrite_same_size_and_time, rewrite_slowly, rewrite_slowly,
        touch, change_rights, finish_download, hide, break_file, write_document, write_document, drop_document, move_document, rename_with_document,
    ]  # fmt: skip

    def run(self, count, kind):
        for root in self.roots:
            anchor = os.path.join(root, b"anchor.jpg")
            if not os.path.exists(anchor):
                self.write(anchor, self.photo())
        for _ in range(count):
            files = self.files()
            if kind == "any" and len(files) > 150:
                self.delete_folder()
                self.delete()
            self.chance.choice(self.NAMES_ONLY if kind == "renames" else self.ANY)(self)
            time.sleep(self.chance.choice([0, 0, 0, 0.01, 0.05, 0.2]))
        for thread in self.threads:
            thread.join()
        with open(os.path.join(self.work, b"disturbed"), "w", encoding="ascii") as file:
            file.writelines(line + "\n" for line in self.disturbed)


def document_of(path):
    for place in (path + b".json", os.path.splitext(path)[0] + b".json"):
        if os.path.isfile(place):
            with open(place, "rb") as file:
                return json.load(file)
    return None


def lines(work, name):
    with open(os.path.join(work, name), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def show(path):
    return path.decode("utf-8", "replace")


def compare(work):
    wanted, broken = [], []
    for name in ("one", "two"):
        for path in below(os.fsencode(os.path.join(work, name)))[0]:
            if path.endswith((b".jpg", b".png")):
                content = digest(path)
                if is_broken(path):
                    broken.append(show(path))
                else:
                    wanted.append((show(path), content, json.dumps(document_of(path))))
    listed = [(image["path"], image["sha256"], json.dumps(image.get("document") or None)) for image in lines(work, "images.jsonl")]
    failed = [row["path"] for row in lines(work, "failures.jsonl")]
    faults = []
    for title, left, right in (("image", wanted, listed), ("failure", broken, failed)):
        rest = list(right)
        for one in left:
            if one in rest:
                rest.remove(one)
            else:
                faults.append(f"missing {title}: {one}")
        faults += [f"stale or double {title}: {one}" for one in rest]
    print("\n".join(faults))
    return not faults


def kept(work):
    def once(rows):
        digests = [row["sha256"] for row in rows]
        return {row["sha256"]: row["id"] for row in rows if digests.count(row["sha256"]) == 1}

    with open(os.path.join(work, "disturbed"), encoding="ascii") as file:
        disturbed = set(file.read().split())
    before, after = once(lines(work, "before.jsonl")), once(lines(work, "images.jsonl"))
    same = [content for content in before if content in after and content not in disturbed]
    lost = [content for content in same if before[content] != after[content]]
    print(f"{len(same)} compared, {len(lost)} with another id: {lost}")
    return not lost


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "change":
        seed, count, kind, work = arguments
        Changes(int(seed), work).run(int(count), kind)
        sys.exit(0)
    sys.exit(0 if {"compare": compare, "kept": kept}[command](*arguments) else 1)
