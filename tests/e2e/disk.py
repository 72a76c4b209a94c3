"""What a disk may show after a power cut, from the log of the acts on files (crash.py).

The strict reading of POSIX: a file's content is safe by fsync or fdatasync of the file, a name by
fsync of its directory, and of what is not safe any part may be there, in any order, sector by
sector. (ext4 makes the name of a new file last with the file's own fsync; that is not relied on.)
"""

import os
import shutil

SECTOR = 512
MODES = ("nothing", "all", "names", "content", "prefix", "some", "torn")


class Inode:
    def __init__(self, content=b""):
        self.safe = bytes(content)


class Disk:
    """The watched names below `root`; what is there now counts as safe."""

    def __init__(self, root, watched=("journal", "spool", "evidence")):
        self.root, self.watched = root, watched
        self.inodes = {}
        self.read()

    def read(self):
        """What is there now is safe. Files without a name stay known."""
        self.names, self.directories = {}, set()
        self.pending = []  # (what, file or path that it is about, …) in the order of the acts
        for path in self._found():
            if os.path.isdir(path):
                self.directories.add(path)
            else:
                inode = self.inodes.setdefault(os.stat(path).st_ino, Inode())
                with open(path, "rb") as file:
                    inode.safe = file.read()
                self.names[path] = inode

    def _found(self):
        for name in sorted(os.listdir(self.root)):
            path = os.path.join(self.root, name)
            # SQLite's shared memory is made anew by whoever opens the database first.
            if not name.startswith(self.watched) or name.endswith("-shm"):
                continue
            yield path
            for base, directories, files in os.walk(path):
                for inner in sorted(directories) + sorted(files):
                    yield os.path.join(base, inner)

    def apply(self, acts):
        for act in acts:
            if act.on_file and not act.path.endswith("-shm"):
                self._apply(act)

    def _apply(self, act):
        kind, path = act.kind, act.path
        if kind.startswith("killed"):
            return
        if kind in ("create", "create-nameless"):
            self.inodes[act.inode] = Inode()
            if kind == "create":
                self.pending.append(("link", path, self.inodes[act.inode]))
        elif kind in ("write", "pwrite"):
            self.pending.append(("write", self.inodes[act.inode], act.offset, act.octets))
        elif kind == "truncate":
            self.pending.append(("truncate", self.inodes[act.inode], act.offset))
        elif kind == "extend":
            self.pending.append(("extend", self.inodes[act.inode], act.offset))
        elif kind in ("fsync", "fdatasync"):
            if act.inode in self.inodes:
                self._sync(lambda one: one[1] is self.inodes[act.inode])
            else:
                self._sync(lambda one: isinstance(one[1], str) and os.path.dirname(one[1]) == path)
        elif kind == "mkdir":
            self.pending.append(("mkdir", path))
        elif kind == "link":
            self.pending.append(("link", path, self.inodes[act.inode]))
        elif kind == "unlink":
            self.pending.append(("unlink", path))
        elif kind == "rename":
            self._rename(path, act.octets.decode())
        else:
            raise AssertionError(f"{kind} of {path}: not known what it does to a disk")

    def _rename(self, old, new):
        names, directories = self._names(self.pending)[1:]
        moved = [name for name in (*names, *directories) if (name + "/").startswith(old + "/")]
        inner = [name for name in moved if name != old]
        if inner or old in directories:
            # A directory: its entry moves in one piece.
            self.pending.append(("move", new, old))
        elif os.path.dirname(old) == os.path.dirname(new):
            self.pending.append(("rename", new, old, names[old]))
        else:
            self.pending.append(("link", new, names[old]))
            self.pending.append(("unlink", old))

    def _sync(self, is_of):
        safe = [one for one in self.pending if is_of(one)]
        self.pending = [one for one in self.pending if not is_of(one)]
        contents, self.names, self.directories = self._names(safe)
        for inode, content in contents.items():
            inode.safe = bytes(content)

    def _names(self, kept):
        """(contents by inode, inodes by name, directories): these acts on top of what is safe."""
        contents, names, directories = {}, dict(self.names), set(self.directories)
        for what, about, *rest in kept:
            if what in ("write", "truncate", "extend"):
                content = contents.setdefault(about, bytearray(about.safe))
                end = rest[0] + len(rest[1]) if what == "write" else rest[0]
                if what == "truncate":
                    del content[end:]
                content.extend(bytes(max(0, end - len(content))))
                if what == "write":
                    content[rest[0]:end] = rest[1]
            elif what == "mkdir":
                directories.add(about)
            elif what == "link":
                names[about] = rest[0]
            elif what == "unlink":
                names.pop(about, None)
                directories.discard(about)
            elif what == "rename":
                names.pop(rest[0], None)
                names[about] = rest[1]
            elif what == "move":
                moved = lambda name: about + name[len(rest[0]):] if (  # noqa: E731
                    name + "/").startswith(rest[0] + "/") else name
                names = {moved(name): inode for name, inode in names.items()}
                directories = {moved(name) for name in directories}
        return contents, names, directories

    def _state(self, kept):
        """({path: content}, {directories}); what stands in no directory is gone."""
        contents, names, directories = self._names(kept)
        there = lambda path: all(  # noqa: E731
            parent in directories for parent in self._parents(path))
        return ({name: bytes(contents.get(inode, inode.safe)) for name, inode in names.items()
                 if there(name)}, {name for name in directories if there(name)})

    def _parents(self, path):
        path = os.path.dirname(path)
        while path != self.root:
            yield path
            path = os.path.dirname(path)

    def now(self):
        """What the running system shows."""
        return self._state(self.pending)

    def after_cut(self, mode, choice):
        """One of the states that may be there when power comes back. `mode`: one of MODES."""
        content = [one for one in self.pending if one[0] in ("write", "truncate", "extend")]
        if mode == "all":
            kept = self.pending
        elif mode == "names":
            kept = [one for one in self.pending if one not in content]
        elif mode == "content":
            kept = content
        elif mode == "prefix":
            kept = self.pending[:choice.randint(0, len(self.pending))]
        elif mode == "some":
            kept = [one for one in self.pending if choice.random() < 0.5]
        elif mode == "torn":
            kept = [part for one in self.pending for part in self._torn(one, choice)]
        else:
            kept = []
        return self._state(kept)

    @staticmethod
    def _torn(one, choice):
        if one[0] != "write":
            return [one] if choice.random() < 0.7 else []
        _, inode, offset, octets = one
        parts, at = [], offset
        while at < offset + len(octets):
            end = min((at // SECTOR + 1) * SECTOR, offset + len(octets))
            if choice.random() < 0.7:
                parts.append(("write", inode, at, octets[at - offset:end - offset]))
            at = end
        return parts

    def replace(self, state, owner, shared_memory=None):
        """Makes the files as in `state`, as a boot after the cut would find them."""
        for path in list(self._found()):
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            elif os.path.exists(path):
                os.unlink(path)
        files, directories = state
        for path in sorted(directories):
            os.mkdir(path, 0o700)
            os.chown(path, owner, -1)
        for path, content in files.items():
            self._put(path, content, owner)
        shared = os.path.join(self.root, "journal.db-shm")
        if shared_memory is not None:
            self._put(shared, shared_memory, owner)
        elif os.path.exists(shared):
            os.unlink(shared)
        self.inodes = {}
        self.read()

    @staticmethod
    def _put(path, content, owner):
        with open(path, "wb") as file:
            file.write(content)
        os.chown(path, owner, -1)
        os.chmod(path, 0o600)
