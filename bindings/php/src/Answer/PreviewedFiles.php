<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** The site's files, of the state that the whole chain makes. */
final class PreviewedFiles implements Answer
{
    /** Number of regular files, hard links included. */
    public readonly int $count;

    /** Number of folders. */
    public readonly int $folders;

    /** Number of symbolic links. */
    public readonly int $links;

    /** Bytes of the files' content. */
    public readonly int $bytes;

    /** The same for people: `286M`. */
    public readonly string $bytesText;

    /** Number of files by what they are. */
    public readonly ByType $byType;

    /** Absolute path of the document root that a restore would fill. */
    public readonly string $documentRoot;

    /**
     * Folders, each before what is in it. With `tree` in the request the part that was asked for; else the first 2,000
     * folders, three levels deep, and the files at the top.
     *
     * @var list<TreeNode>
     */
    public readonly array $tree;

    /**
     * The ten largest folders at the top, the largest first.
     *
     * @var list<TreeNode>
     */
    public readonly array $topFolders;

    /** What the site's own files say of themselves. */
    public readonly Application $application;

    /** Which part of the tree `tree` is; only with `tree` in the request. */
    public readonly ?TreePage $treePage;

    public function __construct(Fields $fields)
    {
        $this->count = $fields->integer('count');
        $this->folders = $fields->integer('folders');
        $this->links = $fields->integer('links');
        $this->bytes = $fields->integer('bytes');
        $this->bytesText = $fields->text('bytes_text');
        $this->byType = $fields->object('by_type', ByType::class);
        $this->documentRoot = $fields->text('document_root');
        $this->tree = $fields->objects('tree', TreeNode::class);
        $this->topFolders = $fields->objects('top_folders', TreeNode::class);
        $this->application = $fields->object('application', Application::class);
        $this->treePage = $fields->has('tree_page') ? $fields->object('tree_page', TreePage::class) : null;
    }
}
